"""What the scheduler looks after: jobs whose worker died, bells that are missing, slots of schedules."""

from __future__ import annotations

import datetime as dt

from django.db import connection
from django.db.models import QuerySet
from django.db.models.functions import Now

from cloudscribe.jobs.bell import QUEUES, bells, ring
from cloudscribe.jobs.claims import job_fail_once, job_stop
from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.ports import StoredActor
from cloudscribe.jobs.registry import ScheduleSpec, max_attempts_of, schedules
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor, ActorKind, CredentialKind
from cloudscribe.lib.observability.metrics import JOBS
from cloudscribe.lib.transactions import on_commit, transactional

_BATCH = 200
# A job that became due just now is about to be claimed for its own ring.
_RING_AFTER = dt.timedelta(seconds=1)
_EXPIRED = """
SELECT *, clock_timestamp() AS now FROM jobs_job
WHERE state = 'running' AND lease_until < clock_timestamp()
ORDER BY lease_until LIMIT %s FOR UPDATE SKIP LOCKED
"""
# Whoever moves the row on has the slot: two schedulers can't both. A slot that was missed is not made up for.
# Those that are taken are left out: the conflict would lock their rows, a write each second for nothing.
_SLOTS = """
INSERT INTO jobs_schedule AS s (name, slot)
SELECT name, due.slot FROM unnest(%s::text[], %s::double precision[]) AS wanted (name, every)
CROSS JOIN LATERAL (SELECT to_timestamp(floor(extract(epoch FROM now()) / every) * every)) AS due (slot)
WHERE NOT EXISTS (SELECT FROM jobs_schedule AS was WHERE was.name = wanted.name AND was.slot >= due.slot)
ORDER BY name
ON CONFLICT (name) DO UPDATE SET slot = EXCLUDED.slot WHERE s.slot < EXCLUDED.slot
RETURNING name, now()
"""


@transactional
def leases_reclaim() -> int:
    """Queue again, or fail for good, what a worker held that gave no sign for a lease; how many."""
    expired = list(Job.objects.raw(_EXPIRED, [_BATCH]))
    for job in expired:
        if job.cancel_requested_at is not None:
            job_stop(job=job)
            continue
        actor = StoredActor.from_json(job.actor).as_job(job.uid, job.now)
        job_fail_once(
            actor=actor,
            job=job,
            code="worker_lost",
            error="The worker stopped in the middle of it.",
            max_attempts=max_attempts_of(job.kind),
        )
        # Here alone: whoever was at it can't count any more.
        on_commit(JOBS.labels(kind=job.kind, outcome="worker_lost").inc)
    return len(expired)


def due_queues() -> list[str]:
    """The queues in which a job waits that is due."""
    due = Job.objects.filter(state=JobState.QUEUED, run_at__lte=Now())
    return list(due.values_list("queue", flat=True).distinct())


def bells_mend() -> bool:
    """Ring where more jobs are due than bells hang; False where Redis is gone.

    It is the count that matters, since a worker whose bell names a job that is taken does the queue's next.
    """
    due: QuerySet[Job] = Job.objects.filter(state=JobState.QUEUED, run_at__lte=Now() - _RING_AFTER)
    if not due.exists():
        return bells(QUEUES[0]) is not None
    for queue in QUEUES:
        hanging = bells(queue)
        if hanging is None:
            return False
        waiting = list(due.filter(queue=queue).order_by("run_at").values_list("uid", flat=True)[:_BATCH])
        for uid in waiting[: max(0, len(waiting) - hanging)]:
            if not ring(queue, uid):
                return False
    return True


@transactional
def schedules_run() -> int:
    """Ask for the job of each schedule whose slot has come and is not taken; how many."""
    known = {spec.name: spec for spec in schedules()}
    if not known:
        return 0
    every = [spec.every.total_seconds() for spec in known.values()]
    with connection.cursor() as cursor:
        cursor.execute(_SLOTS, [list(known), every])
        taken = cursor.fetchall()
    for name, now in taken:
        _enqueue(known[name], now)
    return len(taken)


def _enqueue(spec: ScheduleSpec, now: dt.datetime) -> None:
    actor = Actor(
        kind=ActorKind.JOB,
        uid=None,
        pk=None,
        name=f"schedule {spec.name}",
        credential_kind=CredentialKind.JOB,
        credential_uid=None,
        now=now,
    )
    # One that still waits from the slot before is enough.
    key = f"schedule:{spec.name}"
    job_enqueue(actor=actor, kind=spec.kind, payload=spec.payload, dedupe_key=key, queue=spec.queue)
