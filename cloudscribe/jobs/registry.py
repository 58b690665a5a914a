"""Which code does which kind of job. The apps' `jobs` modules fill it; workers load them, the web never."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from django.utils.module_loading import autodiscover_modules

from cloudscribe.jobs.run import JobRun

Handler = Callable[[JobRun], Mapping[str, Any] | None]

_DEFAULT_TIMEOUT = 300


@dataclasses.dataclass(frozen=True, slots=True)
class JobSpec:
    """A kind of job: its handler, how often it is tried, and how many seconds one try may take."""

    kind: str
    handle: Handler
    max_attempts: int
    timeout: int


@dataclasses.dataclass(frozen=True, slots=True)
class ScheduleSpec:
    """A kind of job that is asked for once in every slot of length `every`."""

    name: str
    every: dt.timedelta
    kind: str
    payload: Mapping[str, Any]
    queue: str


@dataclasses.dataclass(frozen=True, slots=True)
class LoopSpec:
    """What the scheduler process does itself every `every` seconds: short, safe to do twice at once.

    With `always` also while background work is held.
    """

    name: str
    every: float
    action: Callable[[], object]
    always: bool = False


_specs: dict[str, JobSpec] = {}
_schedules: dict[str, ScheduleSpec] = {}
_loops: dict[str, LoopSpec] = {}


def job_handler(
    kind: str, *, max_attempts: int = 5, timeout: int = _DEFAULT_TIMEOUT
) -> Callable[[Handler], Handler]:
    """Make the function the handler of `kind`: ids in by `run.payload`, one service call, safe to run twice.

    What it returns is the job's `result`. A DomainError below 500 fails the job for good; anything else is
    tried again, `max_attempts` times in all.
    """

    def register(handle: Handler) -> Handler:
        if kind in _specs and _specs[kind].handle is not handle:
            raise ValueError(f"The job kind {kind} has a handler already.")
        _specs[kind] = JobSpec(kind, handle, max_attempts, timeout)
        return handle

    return register


def schedule(
    name: str,
    every: dt.timedelta,
    kind: str,
    payload: Mapping[str, Any] | None = None,
    *,
    queue: str = "slow",
) -> None:
    """Ask for a job of `kind` once in every slot of length `every`, however many schedulers run."""
    _schedules[name] = ScheduleSpec(name, every, kind, dict(payload or {}), queue)


def scheduler_loop(
    name: str, *, every: float, always: bool = False
) -> Callable[[Callable[[], object]], Callable[[], object]]:
    """Let the scheduler process call the function every `every` seconds; an error is logged, no more.

    While background work is held it isn't called, unless `always`.
    """

    def register(action: Callable[[], object]) -> Callable[[], object]:
        _loops[name] = LoopSpec(name, every, action, always)
        return action

    return register


def autoload() -> None:
    """Import every app's `jobs` module; for workers and the scheduler, before they fork."""
    autodiscover_modules("jobs")


def spec_of(kind: str) -> JobSpec | None:
    """The kind's specification, None where no app knows it."""
    return _specs.get(kind)


def max_attempts_of(kind: str) -> int:
    """How often a job of the kind is tried; 0 where no app knows it."""
    spec = _specs.get(kind)
    return spec.max_attempts if spec else 0


def schedules() -> list[ScheduleSpec]:
    """Every schedule."""
    return list(_schedules.values())


def loops() -> list[LoopSpec]:
    """Everything that the scheduler process does itself."""
    return list(_loops.values())
