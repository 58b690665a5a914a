"""Doing jobs, one after the other: claim, rebuild the actor, call the handler, write the outcome."""

from __future__ import annotations

import contextvars
import os
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import structlog
from django.db import DatabaseError, connection
from rq.timeouts import UnixSignalDeathPenalty

from cloudscribe.jobs.bell import bell_take
from cloudscribe.jobs.claims import job_claim, job_fail, job_fail_once, job_stop, job_succeed
from cloudscribe.jobs.exceptions import JobCancelled, JobTakenOver, JobTimedOut
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.ports import StoredActor, actor_rebuilder
from cloudscribe.jobs.registry import JobSpec, max_attempts_of, spec_of
from cloudscribe.jobs.run import Heartbeat, JobRun
from cloudscribe.jobs.shifts import connection_is_whole, shift_goes_on
from cloudscribe.lib.actor import Actor, ActorKind, acting_as
from cloudscribe.lib.context import RequestContext, new_request_id, request_context
from cloudscribe.lib.errors import DomainError
from cloudscribe.lib.observability import queries
from cloudscribe.lib.observability.metrics import JOB_SECONDS, JOBS, share_file
from cloudscribe.lib.observability.spans import spans

_INTERNAL_ERROR = "The job failed for a reason of ours; the log has it under the job's request id."
_FIRST_OF_OUR_FAULTS = 500

log = structlog.get_logger(__name__)


def worker_name() -> str:
    """The name under which this process claims: the RQ worker's, or the one that the scheduler gave."""
    return os.environ.get("RQ_WORKER_ID") or f"process-{os.getpid()}"


def job_run(queue: str, uid: str) -> None:
    """Do the job that the bell named or, where that is taken, the queue's next; RQ's work-horse calls this.

    So there are enough bells while there are as many as waiting jobs, whichever they name. Within a shift it
    answers further bells then, and does what is due without one, until there is nothing or the shift ends.
    """
    share_file(f"jobs-{queue}")
    worker = worker_name()
    job = job_claim(worker=worker, uid=uuid.UUID(uid)) or job_claim(worker=worker, queue=queue)
    if job is not None and not job_execute(job):
        return
    for further in _further(queue):
        if not job_execute(further):
            return


def job_prepare(queue: str) -> None:
    """Do what takes long in a new process before a job is there: connect, and claim one that there is not.

    A connection's first statement takes ten times as long as its next: the server reads the table's schema.
    """
    share_file(f"jobs-{queue}")
    job_claim(worker=worker_name(), uid=uuid.uuid4())


def jobs_drain(queue: str, *, goes_on: Callable[[], bool]) -> None:
    """Do the queue's due jobs one after the other while `goes_on`; for when no bell can ring."""
    share_file(f"drain-{queue}")
    for job in _due(queue, goes_on=goes_on):
        job_execute(job)


def _further(queue: str) -> Iterator[Job]:
    """What a shift goes on with; nothing where the database can't be asked: the bell's job was done."""

    def goes_on() -> bool:
        return shift_goes_on() and connection_is_whole()

    try:
        yield from _due(queue, goes_on=goes_on, answers=bell_take)
    except DatabaseError as error:
        log.warning("job_shift_ended", queue=queue, error=type(error).__name__)


def _due(
    queue: str, *, goes_on: Callable[[], bool], answers: Callable[[str], bool] = lambda _: False
) -> Iterator[Job]:
    """Claim the queue's due jobs, the longest due one first, while `goes_on`.

    Each takes one bell away by `answers`, before the look: a bell is rung after the commit, so what it was
    rung for is there to be seen, or taken already.
    """
    worker, since = worker_name(), None
    while goes_on():
        answered = answers(queue)
        job = job_claim(worker=worker, queue=queue, since=since)
        if job is None and since is not None:
            # One that became due before and was given back, or was somebody's for a moment.
            job = job_claim(worker=worker, queue=queue)
        if job is not None:
            since = job.run_at
            yield job
        elif not answered:
            return


def job_execute(job: Job) -> bool:
    """Do one claimed job to its end, which is in its row. Raises only where that can't be written.

    False where the process should do no other: the job was broken off, or met with an error of ours.
    """
    # What it leaves in the context (an actor, a language, a log's values) is gone with the copy.
    return contextvars.copy_context().run(_execute, job)


def _execute(job: Job) -> bool:
    context = RequestContext(job.request_id or new_request_id(), route=f"job {job.kind}")
    with request_context(context) as work:
        started = time.monotonic()
        with spans.of(context.route, context.request_id):
            outcome, sound = _outcome(job)
        seconds = time.monotonic() - started
        JOBS.labels(kind=job.kind, outcome=outcome).inc()
        JOB_SECONDS.labels(kind=job.kind).observe(seconds)
        log.info(
            "job",
            job=str(job.uid),
            kind=job.kind,
            outcome=outcome,
            attempt=job.attempts,
            duration_ms=round(seconds * 1000, 1),
            **queries.costs(work),
        )
    # RQ's child ends without a word.
    spans.flush()
    return sound


def _outcome(job: Job) -> tuple[str, bool]:
    """How it ended, and whether the process is as sound as before."""
    # Until the person is known the job itself acts.
    actor = StoredActor.from_json(job.actor).as_job(job.uid, job.now)
    try:
        spec = spec_of(job.kind)
        if spec is None:
            return _failed(job, actor, "unknown_kind", f"No handler knows jobs of kind {job.kind}."), True
        actor = _actor_of(job)
        result = _handled(spec, JobRun(job, actor))
        return "succeeded" if job_succeed(job=job, result=result) else "lost", True
    except JobTakenOver:
        return "lost", True
    except JobCancelled:
        return "cancelled" if job_stop(job=job) else "lost", True
    except DomainError as error:
        if error.status < _FIRST_OF_OUR_FAULTS:
            return _failed(job, actor, error.code, error.message), True
        return _tried(job, actor, error.code, error.message), True
    except JobTimedOut:
        # The alarm may have struck within a statement, which leaves the connection in an unknown state.
        connection.close()
        return _tried(job, actor, "timeout", "The job took longer than its kind may."), False
    except Exception:
        log.exception("job_failed", job=str(job.uid), kind=job.kind, attempt=job.attempts)
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()
        return _tried(job, actor, "internal", _INTERNAL_ERROR), False


def _handled(spec: JobSpec, run: JobRun) -> Any:
    with acting_as(run.actor), Heartbeat(run), UnixSignalDeathPenalty(spec.timeout, JobTimedOut):  # type: ignore[no-untyped-call]
        return spec.handle(run)


def _failed(job: Job, actor: Actor, code: str, error: str) -> str:
    return "failed" if job_fail(actor=actor, job=job, code=code, error=error) else "lost"


def _tried(job: Job, actor: Actor, code: str, error: str) -> str:
    limit = max_attempts_of(job.kind)
    done = job_fail_once(actor=actor, job=job, code=code, error=error, max_attempts=limit)
    return "tried" if done else "lost"


def _actor_of(job: Job) -> Actor:
    """Who the job runs for, with the rights of now; raises CredentialRevoked."""
    stored = StoredActor.from_json(job.actor)
    if stored.kind in {ActorKind.COMMAND, ActorKind.JOB}:
        return stored.as_job(job.uid, job.now)
    return actor_rebuilder(stored, job_uid=job.uid, now=job.now)
