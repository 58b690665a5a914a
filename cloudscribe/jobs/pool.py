"""The worker processes: one parent that has everything loaded, and one RQ worker a queue forked from it.

One queue a worker: RQ pops from several queues without a safe hand-over.
"""

from __future__ import annotations

import gc
import os
import secrets
import signal
import socket
import threading
import time
from typing import Any

import django_rq
import structlog
from django.db import DatabaseError, connections
from rq.serializers import JSONSerializer

from cloudscribe.jobs.bell import QUEUES
from cloudscribe.jobs.claims import jobs_expire, jobs_give_back
from cloudscribe.jobs.horses import BellWorker
from cloudscribe.jobs.processes import await_end, die_with_parent, ended, fork, tell
from cloudscribe.jobs.registry import autoload

_GRACE = 23.0
_POLL_SECONDS = 0.5
_LONGEST_PAUSE = 4.0
_STEADY_SECONDS = 10.0
# RQ's waits for Redis derive from it: a worker notices within a minute that Redis has hung.
_WORKER_TTL = 60

log = structlog.get_logger(__name__)


class _Slot:
    """The place of one queue's worker: who holds it, and when the next one may be started."""

    def __init__(self, queue: str) -> None:
        self.queue = queue
        self.name = ""
        self.pid = 0
        self.started_at = 0.0
        self.start_at = 0.0
        self.pause = _POLL_SECONDS


class WorkerPool:
    """Keeps one worker a queue alive until it is told to stop."""

    def __init__(self) -> None:
        """Prepare; no process is started and nothing is asked of the database."""
        self._stopping = threading.Event()
        self._slots = [_Slot(queue) for queue in QUEUES]

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; then let running jobs finish within 25 s and give back the rest."""
        autoload()
        # What is loaded by now stays shared between parent and children.
        gc.collect()
        gc.freeze()
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        while not self._stopping.is_set():
            for slot in self._slots:
                self._tend(slot)
            self._stopping.wait(_POLL_SECONDS)
        self._end()

    def _stop(self, *_: object) -> None:
        self._stopping.set()

    def _tend(self, slot: _Slot) -> None:
        now = time.monotonic()
        if slot.pid:
            status = ended(slot.pid)
            if status is None:
                return
            log.warning("rqworker_ended", queue=slot.queue, status=status)
            steady = now - slot.started_at > _STEADY_SECONDS
            slot.pause = _POLL_SECONDS if steady else min(slot.pause * 2, _LONGEST_PAUSE)
            slot.pid, slot.start_at = 0, now + slot.pause
        if now >= slot.start_at:
            slot.name = f"{slot.queue}-{socket.gethostname()}-{secrets.token_hex(4)}"
            slot.started_at = now
            slot.pid = fork(lambda: _work(slot.queue, slot.name))

    def _end(self) -> None:
        running = {slot.pid: slot for slot in self._slots if slot.pid}
        tell(running, signal.SIGTERM)
        left = await_end(running, _GRACE)
        # RQ takes a second SIGTERM as the order to end its work-horse, too.
        tell(left, signal.SIGTERM)
        tell(await_end(left, 1.0), signal.SIGKILL)
        if left:
            names = [running[pid].name for pid in left]
            log.warning("jobs_given_back", count=jobs_give_back(workers=names))


def _work(queue: str, name: str) -> None:
    """In a child: RQ's loop, which forks a work-horse for each bell. Asks the database nothing itself."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    die_with_parent()
    os.environ["RQ_WORKER_ID"] = name

    def horse_killed(*_: Any) -> None:
        # Nobody extends the lease any more; the sweeper shall not wait for its end.
        try:
            jobs_expire(worker=name)
        except DatabaseError:
            log.warning("job_expiry_failed", worker=name)
        finally:
            connections.close_all()

    worker = django_rq.get_worker(
        queue,
        worker_class=BellWorker,
        name=name,
        serializer=JSONSerializer,
        worker_ttl=_WORKER_TTL,
        log_job_description=False,
        work_horse_killed_handler=horse_killed,
    )
    worker.work(logging_level="WARNING")
