"""A running job as its handler sees it, and the heartbeat that holds the lease meanwhile."""

from __future__ import annotations

import threading
import time
from typing import Any

import structlog
from django.conf import settings
from django.db import DatabaseError, connection

from cloudscribe.jobs.claims import Hold, job_hold, job_look
from cloudscribe.jobs.exceptions import JobCancelled, JobTakenOver
from cloudscribe.jobs.models import Job
from cloudscribe.lib.actor import Actor

_PROGRESS_EVERY = 0.5
_BEATS_A_LEASE = 3

log = structlog.get_logger(__name__)


class JobRun:
    """One try of one job: who it runs for, what it was asked, and how it tells its progress."""

    def __init__(self, job: Job, actor: Actor) -> None:
        """Start the try of a claimed job."""
        self.job = job
        self.actor = actor
        self.hold = Hold.HELD
        self._written_at = 0.0

    @property
    def payload(self) -> dict[str, Any]:
        """What was asked: ids, to be fetched again."""
        payload: dict[str, Any] = self.job.payload
        return payload

    @property
    def fence(self) -> int:
        """The number of the claim: what a handler stores by it can be told from a later try's."""
        return self.job.attempts

    def progress(self, done: int, total: int | None = None) -> None:
        """Tell how far the work is; call it between transactions, as often as you like.

        Raises JobCancelled where somebody asked to stop, JobTakenOver where the lease was lost.
        """
        now = time.monotonic()
        # Inside a transaction nobody would see the row change, and its lock would hold up the heartbeat.
        if not connection.in_atomic_block and (now - self._written_at >= _PROGRESS_EVERY or done == total):
            self._written_at = now
            self.hold = job_hold(job=self.job, done=done, total=total)
        self._stop_if_told()

    def check(self) -> None:
        """Raise as `progress` does, by the job's row as it is now.

        For work that is one transaction: called within it, between its steps and last thing before its end,
        it has a job that was cancelled undo all that it did.
        """
        self.hold = job_look(job=self.job)
        self._stop_if_told()

    def _stop_if_told(self) -> None:
        if self.hold is Hold.CANCEL:
            raise JobCancelled
        if self.hold is Hold.LOST:
            raise JobTakenOver


class Heartbeat:
    """Extends the lease from a thread of its own while the handler works, three times a lease."""

    def __init__(self, run: JobRun) -> None:
        """Prepare; entering the context starts the thread."""
        self._run = run
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="job-heartbeat", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            while not self._over.wait(settings.JOB_LEASE / _BEATS_A_LEASE):
                self._extend()
        finally:
            connection.close()

    def _extend(self) -> None:
        try:
            self._run.hold = job_hold(job=self._run.job)
        except DatabaseError as error:
            # The next beat tries again; if the database stays away the lease runs out, as it should.
            log.warning("job_heartbeat_failed", job=str(self._run.job.uid), error=type(error).__name__)
            connection.close()
