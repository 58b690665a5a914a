"""What goes wrong in a drill, one function a fault; each says in a few words what it did."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import time
from collections.abc import Callable

from bench.drill.cluster import Cluster
from cloudscribe.lib.embedded.processes import wait_until

# How long a hung server says nothing: longer than any wait for Redis, shorter than a lease.
_HANG = 5.0
_STOP_WITHIN = 30.0


class FaultFailed(RuntimeError):
    """The fault could not be provoked, or what should have followed at once did not."""


@dataclasses.dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its name in the table, what provokes it, and whether the short drill has it."""

    name: str
    provoke: Callable[[Cluster], None]
    short: bool = False


def _kill(find: Callable[[], list[int]], *, number: signal.Signals = signal.SIGKILL) -> None:
    """Send a signal to what `find` finds; raises FaultFailed where that is nothing for ten seconds."""
    found: list[int] = []

    def some() -> bool:
        found[:] = find()
        return bool(found)

    if not wait_until(some, 10, step=0.01):
        raise FaultFailed("nothing was there to be hit")
    for pid in found:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _hang(find: Callable[[], list[int]]) -> None:
    pids = find()
    _kill(lambda: pids, number=signal.SIGSTOP)
    time.sleep(_HANG)
    _kill(lambda: pids, number=signal.SIGCONT)


def _horses(cluster: Cluster) -> None:
    for _ in range(3):
        _kill(cluster.horses)


def _one_web_worker(cluster: Cluster) -> None:
    _kill(lambda: cluster.web_workers()[:1])


def _flush(cluster: Cluster) -> None:
    cluster.ask_redis("FLUSHALL")


def _emptied(cluster: Cluster) -> None:
    """The next one has nothing of what this one knew, as where another machine takes its place."""
    cluster.ask_redis("FLUSHALL")
    _kill(cluster.redis)


def _backend(cluster: Cluster) -> None:
    """One of PostgreSQL's own processes: all others end and the log is replayed."""
    _kill(lambda: cluster.backends()[:1])


def _second_scheduler(cluster: Cluster) -> None:
    second = cluster.beside("manage.py", "scheduler")
    try:
        time.sleep(_HANG)
        _kill(cluster.scheduler)
        time.sleep(_HANG)
    finally:
        second.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            second.wait(_STOP_WITHIN)


def _stop(cluster: Cluster) -> None:
    seconds = cluster.stop()
    if seconds > _STOP_WITHIN:
        raise FaultFailed(f"it took {seconds:.0f} s to end")
    cluster.start()


def _everything(cluster: Cluster) -> None:
    cluster.kill()
    cluster.start()


FAULTS = [
    Fault("none", lambda _: None, short=True),
    Fault("kill -9 of the process that does a job", _horses, short=True),
    Fault("kill -9 of the workers", lambda cluster: _kill(cluster.workers)),
    Fault("kill -9 of the workers' parent", lambda cluster: _kill(cluster.pool)),
    Fault("kill -9 of the scheduler", lambda cluster: _kill(cluster.scheduler)),
    Fault("two schedulers, one of them killed", _second_scheduler),
    Fault("kill -9 of a web worker", _one_web_worker, short=True),
    Fault("kill -9 of gunicorn's master", lambda cluster: _kill(cluster.web_master)),
    Fault("Redis is killed", lambda cluster: _kill(cluster.redis)),
    Fault("Redis hangs for 5 s", lambda cluster: _hang(cluster.redis)),
    Fault("Redis is flushed", _flush),
    Fault("Redis is replaced by an empty one", _emptied, short=True),
    Fault("PostgreSQL is restarted", lambda cluster: _kill(cluster.postgres, number=signal.SIGINT)),
    Fault(
        "PostgreSQL ends at once", lambda cluster: _kill(cluster.postgres, number=signal.SIGQUIT), short=True
    ),
    Fault("PostgreSQL loses a backend", _backend),
    Fault("PostgreSQL hangs for 5 s", lambda cluster: _hang(cluster.postgres)),
    Fault("stopped and started again", _stop),
    Fault("kill -9 of everything", _everything, short=True),
]
