"""Claim, hold and end: the statements by which exactly one worker owns a running job.

Each names the attempt under which the job was claimed. One whose lease was taken over finds no row and
changes nothing. Times are the database's.
"""

from __future__ import annotations

import datetime as dt
import enum
import random
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.conf import settings
from django.db import connection

from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.ports import work_is_held
from cloudscribe.jobs.signals import job_changed
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional

# SKIP LOCKED: who finds the row in another's hands looks for the next one instead of waiting.
_CLAIM = """
UPDATE jobs_job SET
    state = 'running', attempts = attempts + 1, claimed_by = %(worker)s, dedupe_key = NULL,
    lease_until = clock_timestamp() + %(lease)s * interval '1 second',
    started_at = coalesce(started_at, clock_timestamp()), updated_at = clock_timestamp()
WHERE id = (
    SELECT id FROM jobs_job
    WHERE state = 'queued' AND run_at <= clock_timestamp()
      AND (%(uid)s::uuid IS NULL OR uid = %(uid)s::uuid)
      AND (%(queue)s::text IS NULL OR queue = %(queue)s::text)
      AND (%(since)s::timestamptz IS NULL OR run_at >= %(since)s::timestamptz)
    ORDER BY run_at LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING *, clock_timestamp() AS now
"""
_HOLD = """
UPDATE jobs_job SET
    lease_until = clock_timestamp() + %(lease)s * interval '1 second', updated_at = clock_timestamp(),
    progress_done = coalesce(%(done)s, progress_done), progress_total = coalesce(%(total)s, progress_total)
WHERE id = %(id)s AND attempts = %(fence)s AND state = 'running'
RETURNING cancel_requested_at IS NOT NULL
"""
_LOOK = """
SELECT cancel_requested_at IS NOT NULL FROM jobs_job
WHERE id = %(id)s AND attempts = %(fence)s AND state = 'running'
"""
_END = """
UPDATE jobs_job SET
    state = %(state)s, result = %(result)s::jsonb, error_code = %(code)s, error = %(error)s,
    lease_until = NULL, finished_at = clock_timestamp(), updated_at = clock_timestamp()
WHERE id = %(id)s AND attempts = %(fence)s AND state = 'running'
"""
_AGAIN = """
UPDATE jobs_job SET
    state = 'queued', run_at = clock_timestamp() + %(delay)s * interval '1 second', lease_until = NULL,
    claimed_by = '', error_code = %(code)s, error = %(error)s, updated_at = clock_timestamp()
WHERE id = %(id)s AND attempts = %(fence)s AND state = 'running'
"""
_GIVE_BACK = """
UPDATE jobs_job SET
    state = 'queued', run_at = clock_timestamp(), lease_until = NULL, claimed_by = '',
    attempts_forgiven = attempts_forgiven + 1, updated_at = clock_timestamp()
WHERE state = 'running' AND claimed_by = ANY(%s)
"""
_EXPIRE = """
UPDATE jobs_job SET lease_until = clock_timestamp() WHERE state = 'running' AND claimed_by = %s
"""
_LONGEST_DELAY = 3600.0
_JITTER = 0.2


class Hold(enum.Enum):
    """What a worker learns when it extends its lease."""

    HELD = "held"
    CANCEL = "cancel"
    LOST = "lost"


def job_claim(
    *, worker: str, uid: uuid.UUID | None = None, queue: str | None = None, since: dt.datetime | None = None
) -> Job | None:
    """Claim the due job `uid`, or the longest due one of `queue`; None where there is none to be had now.

    With `since` only one that became due then or later: what was claimed before stays in the index as long as
    any snapshot might see it, and whoever claims one after the other needn't walk through all that again.
    """
    if work_is_held():
        return None
    values = {"worker": worker, "lease": settings.JOB_LEASE, "uid": uid, "queue": queue, "since": since}
    claimed = list(Job.objects.raw(_CLAIM, values))
    return claimed[0] if claimed else None


def job_hold(*, job: Job, done: int | None = None, total: int | None = None) -> Hold:
    """Extend the lease and note the progress; tells whether somebody asked to stop or took over."""
    return _held(_HOLD, job, lease=settings.JOB_LEASE, done=done, total=total)


def job_look(*, job: Job) -> Hold:
    """What `job_hold` tells, without a lock or a write: for within the transaction that does the work."""
    return _held(_LOOK, job)


def job_succeed(*, job: Job, result: Mapping[str, Any] | None) -> bool:
    """Write the result; False where the lease was lost."""
    return _end(job, JobState.SUCCEEDED, result=result)


def job_stop(*, job: Job) -> bool:
    """End a running job whose cancellation was asked for; False where the lease was lost."""
    return _end(job, JobState.CANCELLED)


@transactional
def job_fail(*, actor: Actor, job: Job, code: str, error: str) -> bool:
    """End a job for good and put that on the record; False where the lease was lost."""
    if not _end(job, JobState.FAILED, code=code, error=error):
        return False
    job.error_code = code
    job_changed.send(sender=Job, job=job, change="failed", actor=actor)
    return True


def job_fail_once(*, actor: Actor, job: Job, code: str, error: str, max_attempts: int) -> bool:
    """End one try: queued again after a growing delay, or failed for good where this was the last one.

    False where the lease was lost.
    """
    tries = job.attempts - job.attempts_forgiven
    if tries >= max_attempts:
        return job_fail(actor=actor, job=job, code=code, error=error)
    return _execute(_AGAIN, job, delay=retry_delay(tries), code=code, error=error)


def retry_delay(tries: int) -> float:
    """Seconds until the next try: doubled each time up to an hour, ±20 % so that a herd spreads out."""
    delay = min(settings.JOB_BACKOFF * 2 ** (tries - 1), _LONGEST_DELAY)
    return float(delay * random.uniform(1 - _JITTER, 1 + _JITTER))  # noqa: S311 (jitter, not a secret)


def jobs_give_back(*, workers: Sequence[str]) -> int:
    """Queue again, without counting the try, what workers held that were told to stop; how many."""
    with connection.cursor() as cursor:
        cursor.execute(_GIVE_BACK, [list(workers)])
        return int(cursor.rowcount)


def jobs_expire(*, worker: str) -> None:
    """End the lease of what a worker held that died, so that the sweeper needn't wait for it."""
    with connection.cursor() as cursor:
        cursor.execute(_EXPIRE, [worker])


def _end(
    job: Job, state: JobState, *, result: Mapping[str, Any] | None = None, code: str = "", error: str = ""
) -> bool:
    encoded = orjson.dumps(result).decode() if result is not None else None
    return _execute(_END, job, state=state.value, result=encoded, code=code, error=error)


def _held(statement: str, job: Job, **values: Any) -> Hold:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"id": job.pk, "fence": job.attempts, **values})
        row = cursor.fetchone()
    if row is None:
        return Hold.LOST
    return Hold.CANCEL if row[0] else Hold.HELD


def _execute(statement: str, job: Job, **values: Any) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(statement, {"id": job.pk, "fence": job.attempts, **values})
        return int(cursor.rowcount) == 1
