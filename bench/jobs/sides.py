"""What is measured: something that takes jobs, and its one worker."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
from collections.abc import Iterator
from typing import Protocol

import procrastinate
from redis import Redis
from rq import Queue
from rq.serializers import JSONSerializer

from bench.jobs.work import work
from bench.jobs.workers import KIND, PROCRASTINATE, QUEUE, RQ, procrastinate_app
from bench.processes import tree
from bench.servers import module


class Side(Protocol):
    """One of those that are compared."""

    name: str
    worker: str

    def ask(self, path: str) -> None:
        """Ask for one job, committed when this returns."""

    def close(self) -> None:
        """Let go of what is held."""


class Procrastinate:
    """A row, and NOTIFY."""

    name = "procrastinate"
    worker = "procrastinate"

    def __init__(self) -> None:
        """Make its tables in a database that has none."""
        url = os.environ[PROCRASTINATE]
        self._app = procrastinate_app(
            procrastinate.SyncPsycopgConnector(conninfo=url, min_size=1, max_size=1)
        )
        self._app.open()
        self._app.schema_manager.apply_schema()
        self._task = self._app.tasks[KIND]

    def ask(self, path: str) -> None:
        """As its documentation shows."""
        self._task.defer(path=path)

    def close(self) -> None:
        """Close its pool."""
        self._app.close()


class PlainRq:
    """Redis alone, which may forget."""

    name = "RQ"
    worker = "rq"

    def __init__(self) -> None:
        """Nothing is sent yet."""
        self._redis = Redis.from_url(os.environ[RQ])
        self._queue = Queue(QUEUE, connection=self._redis, serializer=JSONSerializer)

    def ask(self, path: str) -> None:
        """As its documentation shows."""
        self._queue.enqueue(work, path)

    def close(self) -> None:
        """Close the connection."""
        self._redis.close()


@contextlib.contextmanager
def held(top: int) -> Iterator[None]:
    """Neither the process `top` nor what is below it works during the block."""
    pids = [process.pid for process in tree(top)]
    _tell(pids, signal.SIGSTOP)
    try:
        yield
    finally:
        _tell(pids, signal.SIGCONT)


def _tell(pids: list[int], number: int) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def working(worker: str, folder: pathlib.Path) -> contextlib.AbstractContextManager[int]:
    """One of `bench.jobs.workers` for the block, whose output goes to `folder`; gives its number."""
    return module(folder, worker, "bench.jobs.workers", worker, CLOUDSCRIBE_PROCESS="job")
