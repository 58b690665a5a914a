"""The scheduler process: leases, slots, bells, and the jobs themselves while Redis is gone."""

from __future__ import annotations

import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import connection

from cloudscribe.jobs.claims import jobs_expire, jobs_give_back
from cloudscribe.jobs.ports import work_is_held
from cloudscribe.jobs.processes import await_end, ended, fork, tell
from cloudscribe.jobs.registry import LoopSpec, autoload, loops
from cloudscribe.jobs.runner import jobs_drain
from cloudscribe.jobs.sweeper import bells_mend, due_queues, leases_reclaim, schedules_run

_GRACE = 24.0
_DRAIN_SECONDS = 60.0

log = structlog.get_logger(__name__)


class Scheduler:
    """Takes turns until it is told to stop."""

    def __init__(self) -> None:
        """Prepare; nothing is asked of the database yet."""
        self.name = f"scheduler-{socket.gethostname()}-{secrets.token_hex(4)}"
        self._stopping = threading.Event()
        self._drains: dict[str, int] = {}
        self._due_at: dict[str, float] = {}

    def run(self) -> None:
        """Work until SIGTERM or SIGINT; then let running jobs finish within 24 s and give back the rest."""
        autoload()
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        log.info("scheduler_started", name=self.name)
        while not self._stopping.is_set():
            self.turn()
            self._stopping.wait(settings.JOB_SWEEP_INTERVAL)
        self._end()

    def _stop(self, *_: object) -> None:
        self._stopping.set()

    def turn(self) -> None:
        """Do once what is due."""
        self._reap()
        held = self._is_held()
        own = [LoopSpec("leases", 1.0, leases_reclaim), LoopSpec("schedules", 1.0, schedules_run)]
        for loop in [*own, *loops()]:
            if held and not loop.always:
                continue
            now = time.monotonic()
            if self._due_at.get(loop.name, 0.0) <= now:
                self._due_at[loop.name] = now + loop.every
                self._guard(loop.name, loop.action)
        # Nor are bells rung for what nobody may claim: each would cost a worker a process.
        if not held:
            self._guard("bells", self._mend_or_drain)

    def _is_held(self) -> bool:
        """Whether work waits; so it does while nobody can say."""
        answers: list[bool] = []
        self._guard("hold", lambda: answers.append(work_is_held()))
        return answers != [False]

    def _guard(self, name: str, action: Callable[[], object]) -> None:
        try:
            action()
        except Exception as error:  # noqa: BLE001 (the process outlives a database that restarts)
            log.warning("scheduler_loop_failed", loop=name, error=type(error).__name__)
            connection.close()

    def _mend_or_drain(self) -> None:
        if bells_mend():
            return
        for queue in due_queues():
            if queue not in self._drains:
                self._drains[queue] = fork(lambda queue=queue: self._drain(queue))  # type: ignore[misc]

    def _drain(self, queue: str) -> None:
        """In a child: do the queue's due jobs, one at a time as its worker would."""
        told = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: told.set())
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.setpgrp()
        os.environ["RQ_WORKER_ID"] = self._drain_name(queue)
        parent, until = os.getppid(), time.monotonic() + _DRAIN_SECONDS

        def goes_on() -> bool:
            return not told.is_set() and os.getppid() == parent and time.monotonic() < until

        jobs_drain(queue, goes_on=goes_on)

    def _drain_name(self, queue: str) -> str:
        return f"{self.name}-{queue}"

    def _reap(self) -> None:
        for queue, pid in list(self._drains.items()):
            status = ended(pid)
            if status is None:
                continue
            del self._drains[queue]
            if status:
                self._guard("expire", lambda queue=queue: jobs_expire(worker=self._drain_name(queue)))  # type: ignore[misc]

    def _end(self) -> None:
        tell(self._drains.values(), signal.SIGTERM)
        left = await_end(self._drains.values(), _GRACE)
        tell(left, signal.SIGKILL)
        await_end(left, 1.0)
        names = [self._drain_name(queue) for queue, pid in self._drains.items() if pid in left]
        if names:
            self._guard("give_back", lambda: jobs_give_back(workers=names))
