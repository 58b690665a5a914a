"""Asking for work, cancelling it and trying it again."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Mapping
from typing import Any

import orjson
from django.db import connection
from django.db.transaction import TransactionManagementError
from uuid_utils.compat import uuid7

from cloudscribe.jobs.bell import QUEUES, ring
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.ports import StoredActor
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.context import current_context
from cloudscribe.lib.transactions import on_commit

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
