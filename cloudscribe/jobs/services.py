"""Asking for work, cancelling it and trying it again."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.db import connection
from django.db.models.functions import Now
from django.db.transaction import TransactionManagementError
from uuid_utils.compat import uuid7

from cloudscribe.jobs.bell import QUEUES, ring
from cloudscribe.jobs.exceptions import JobFinished, JobUnfinished
from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.ports import StoredActor
from cloudscribe.jobs.signals import job_changed, queue_changed
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.context import current_context
from cloudscribe.lib.transactions import on_commit, transactional

# A second job with the key of one that still waits is that one, at the earlier of both times. A job that runs
# may have read the state before the change which asks now, so it doesn't count: a claim takes the key away.
_ENQUEUE = """
INSERT INTO jobs_job (
    uid, kind, queue, payload, run_at, dedupe_key, actor, actor_uid, request_id,
    state, attempts, attempts_forgiven, claimed_by, progress_done, error_code, error, created_at, updated_at)
VALUES (
    %s, %s, %s, %s::jsonb, coalesce(%s, now()), %s, %s::jsonb, %s, %s,
    'queued', 0, 0, '', 0, '', '', now(), now())
ON CONFLICT (dedupe_key) WHERE state = 'queued'
DO UPDATE SET run_at = least(jobs_job.run_at, EXCLUDED.run_at), updated_at = now()
RETURNING *
"""


def job_enqueue(
    *,
    actor: Actor,
    kind: str,
    payload: Mapping[str, Any],
    run_at: dt.datetime | None = None,
    dedupe_key: str | None = None,
    queue: str = "fast",
) -> Job:
    """Ask for a job of `kind` within the caller's transaction; the worker is rung when that commits.

    `payload` holds ids, not objects. `run_at` None means now. With a `dedupe_key`, one waiting job of that
    key stands for all who ask. Raises TransactionManagementError outside a transaction.
    """
    if not connection.in_atomic_block:
        raise TransactionManagementError("A job is asked for in the transaction that causes it.")
    if queue not in QUEUES:
        raise ValueError(f"There is no queue {queue}.")
    values = [
        *(uuid7(), kind, queue, orjson.dumps(payload).decode(), run_at, dedupe_key),
        *(orjson.dumps(StoredActor.of(actor).to_json()).decode(), actor.uid, current_context().request_id),
    ]
    job: Job = Job.objects.raw(_ENQUEUE, values)[0]
    if run_at is None:
        on_commit(functools.partial(ring, job.queue, job.uid))
    return job


@transactional
def job_cancel(*, actor: Actor, job: Job) -> Job:
    """Cancel what waits at once; ask what runs to stop at its next step. Asking twice changes nothing.

    The caller has checked that the actor may. Raises JobFinished where the job ended otherwise.
    """
    # The lock decides between this and a worker that claims or ends the job at the same moment.
    job = Job.objects.select_for_update().get(pk=job.pk)
    if job.state == JobState.CANCELLED or (job.state == JobState.RUNNING and job.cancel_requested_at):
        return job
    if job.state == JobState.QUEUED:
        changes = {"state": JobState.CANCELLED, "finished_at": Now()}
    elif job.state == JobState.RUNNING:
        changes = {}
    else:
        raise JobFinished
    Job.objects.filter(pk=job.pk).update(cancel_requested_at=Now(), updated_at=Now(), **changes)
    job.refresh_from_db()
    job_changed.send(sender=Job, job=job, change="cancelled", actor=actor)
    return job


@transactional
def job_retry(*, actor: Actor, job: Job) -> Job:
    """Queue a failed or cancelled job again with all its tries; it runs for whoever asked for it first.

    The caller has checked that the actor may. Raises JobUnfinished for any other state.
    """
    job = Job.objects.select_for_update().get(pk=job.pk)
    if job.state not in {JobState.FAILED, JobState.CANCELLED}:
        raise JobUnfinished
    Job.objects.filter(pk=job.pk).update(
        state=JobState.QUEUED,
        run_at=Now(),
        attempts_forgiven=job.attempts,
        cancel_requested_at=None,
        finished_at=None,
        error_code="",
        error="",
        updated_at=Now(),
    )
    job.refresh_from_db()
    job_changed.send(sender=Job, job=job, change="retried", actor=actor)
    on_commit(functools.partial(ring, job.queue, job.uid))
    return job


@transactional
def job_file_told(*, actor: Actor, job: Job) -> None:
    """Put on the record that somebody has a file which another person asked for."""
    job_changed.send(sender=Job, job=job, change="file_read", actor=actor)


@transactional
def queue_told(*, actor: Actor, queue: str, change: str, bells: Sequence[str] = ()) -> None:
    """Put on the record what somebody is about to do to the bells of a queue, before they do.

    Redis takes part in no transaction. No job changes by it: what is due is rung for again.
    """
    queue_changed.send(sender=Job, queue=queue, change=change, bells=list(bells), actor=actor)
