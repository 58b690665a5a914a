"""Interleaved trials: floor, ours, floor, ours …, pair by pair; disturbed pairs are left out."""

from __future__ import annotations

import dataclasses
import statistics
import sys
from collections.abc import Sequence

from bench import load
from bench.measures import Measure, Setting
from bench.processes import Foreign, cpu_seconds, tree
from bench.servers import Server

FOREIGN_LIMIT = 0.25
# A machine that is never quiet must not keep the bench going for ever.
_TRIES_PER_REPETITION = 3
# With a smaller part of what each would have done of an even share, a process had next to no connection.
_LEAST_PART = 0.1


@dataclasses.dataclass(frozen=True, slots=True)
class Pair:
    """One repetition: the floor's load and ours, and CPU seconds a request of each, servers included."""

    floor: load.Load
    ours: load.Load
    floor_cpu: float
    cpu: float


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """The repetitions of one row that count: the undisturbed ones, all where there was none of those."""

    measure: Measure
    pairs: tuple[Pair, ...]
    undisturbed: int
    disturbed: int

    @property
    def ratio(self) -> float:
        """Median of ours over the floor."""
        return statistics.median(pair.ours.rate / pair.floor.rate for pair in self.pairs)

    @property
    def rate(self) -> float:
        """Median of our requests a second."""
        return statistics.median(pair.ours.rate for pair in self.pairs)

    @property
    def floor_rate(self) -> float:
        """Median of the floor's requests a second."""
        return statistics.median(pair.floor.rate for pair in self.pairs)

    @property
    def cpu(self) -> float:
        """Median of our CPU seconds a request."""
        return statistics.median(pair.cpu for pair in self.pairs)

    @property
    def floor_cpu(self) -> float:
        """Median of the floor's CPU seconds a request."""
        return statistics.median(pair.floor_cpu for pair in self.pairs)

    @property
    def tail(self) -> float:
        """Median of our p99 ÷ p50."""
        return statistics.median(pair.ours.p99 / pair.ours.p50 for pair in self.pairs)

    @property
    def floor_tail(self) -> float:
        """Median of the floor's p99 ÷ p50."""
        return statistics.median(pair.floor.p99 / pair.floor.p50 for pair in self.pairs)


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds:
    """How long one load lasts in seconds and how many undisturbed repetitions a row needs."""

    seconds: float
    repetitions: int


def run(measure: Measure, setting: Setting, floor: Server, ours: Server, bounds: Bounds) -> Result:
    """Measure one row against the floor."""
    pairs: list[Pair] = []
    disturbed = 0
    kept_anyway: list[Pair] = []
    while len(pairs) < bounds.repetitions and disturbed < bounds.repetitions * _TRIES_PER_REPETITION:
        foreign = Foreign()
        pair = _pair(measure, setting, floor, ours, bounds.seconds)
        if foreign.share() < FOREIGN_LIMIT:
            pairs.append(pair)
        else:
            disturbed += 1
            kept_anyway.append(pair)
    if not pairs:
        print(f"{measure.title}: never undisturbed, all repetitions are counted", file=sys.stderr)
    return Result(measure, tuple(pairs or kept_anyway), len(pairs), disturbed)


def _pair(measure: Measure, setting: Setting, floor: Server, ours: Server, seconds: float) -> Pair:
    floor_load, floor_cpu = _floor_loaded(floor, seconds)
    script = measure.prepare(setting)
    before = cpu_seconds(ours.pid)
    our_load = load.run(ours.url, seconds, script.name, *script.arguments)
    return Pair(floor_load, our_load, floor_cpu, (cpu_seconds(ours.pid) - before) / our_load.requests)


def _floor_loaded(floor: Server, seconds: float) -> tuple[load.Load, float]:
    """The floor's load and its CPU seconds a request.

    Now and then, one time in five on two cores, gunicorn's own class of worker gives all connections of a
    load to one process, which does a third of what both do: such a load is repeated.
    """
    for _ in range(_TRIES_PER_REPETITION**2):
        before = {process.pid: process.cpu for process in tree(floor.pid)}
        seen = load.run(floor.url, seconds)
        spent = {process.pid: process.cpu - before.get(process.pid, 0.0) for process in tree(floor.pid)}
        if all_worked([cpu for pid, cpu in spent.items() if pid != floor.pid]):
            break
    else:
        print("the floor: never by all of its processes, its last load is counted", file=sys.stderr)
    return seen, sum(spent.values()) / seen.requests


def all_worked(spent: Sequence[float]) -> bool:
    """Whether none of the processes that spent so many CPU seconds was left without work by the others."""
    return min(spent, default=0.0) >= _LEAST_PART * sum(spent) / max(len(spent), 1)
