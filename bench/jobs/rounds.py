"""What is measured of a side: bursts, and single jobs for a worker that has nothing to do."""

from __future__ import annotations

import dataclasses
import statistics
import time
from collections.abc import Callable, Sequence

from bench.jobs.sides import Side, held
from bench.jobs.work import Ear
from bench.processes import Foreign, cpu_seconds

_PATIENCE = 60.0
# Between two single jobs: the worker has ended the last one and waits.
_PAUSE = 0.1


@dataclasses.dataclass(frozen=True, slots=True)
class Burst:
    """Jobs a second that were asked for and begun, CPU seconds of each with the servers', others' share."""

    asked: float
    asked_cpu: float
    begun: float
    begun_cpu: float
    foreign: float


@dataclasses.dataclass(frozen=True, slots=True)
class Delays:
    """Seconds from before a job was asked for until it began, of many single ones."""

    seconds: Sequence[float]

    @property
    def p50(self) -> float:
        """The median."""
        return statistics.median(self.seconds)

    @property
    def p99(self) -> float:
        """What one in a hundred exceeds."""
        return statistics.quantiles(self.seconds, n=100, method="inclusive")[98]


def burst(side: Side, worker: int, ear: Ear, count: int, servers: Callable[[], float]) -> Burst:
    """Ask for `count` jobs while the worker is held, then let it work; `servers` tells their CPU seconds."""
    foreign = Foreign()
    with held(worker):
        clock, cpu = time.monotonic(), time.process_time() + servers()
        for _ in range(count):
            side.ask(ear.path)
        asked, asked_cpu = time.monotonic() - clock, time.process_time() + servers() - cpu
    clock, cpu = time.monotonic(), cpu_seconds(worker) + servers()
    last = ear.hear(count, _PATIENCE)[-1]
    begun_cpu = cpu_seconds(worker) + servers() - cpu
    return Burst(count / asked, asked_cpu / count, count / (last - clock), begun_cpu / count, foreign.share())


def delays(side: Side, ear: Ear, count: int) -> Delays:
    """Ask for `count` jobs one after the other."""
    seconds = []
    for _ in range(count):
        time.sleep(_PAUSE)
        asked = time.monotonic()
        side.ask(ear.path)
        seconds.append(ear.hear(1, _PATIENCE)[0] - asked)
    return Delays(seconds)
