"""The page: printed, and written to docs/jobs.md."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import pathlib
import statistics
from collections.abc import Mapping, Sequence
from importlib.metadata import version

from bench.jobs.rounds import Burst, Delays
from bench.report import machine, table, verdict

_WITH_REDIS, _WITHOUT_REDIS = 0.025, 1.0
_PAGE = pathlib.Path(__file__).parent / "page.md"
_OURS = "CloudScribe"


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """Bursts and single jobs by side, ours without Redis, and the jobs of a burst."""

    bursts: Mapping[str, Sequence[Burst]]
    singles: Mapping[str, Delays]
    without_redis: Delays
    jobs: int


def _bursts(report: Report) -> list[str]:
    def median(name: str, what: str) -> float:
        return float(statistics.median(getattr(each, what) for each in report.bursts[name]))

    def compared(name: str, what: str, shown: str) -> str:
        ratio = "" if name == _OURS else f" ({median(_OURS, what) / median(name, what):.2f})"
        return shown + ratio

    rows = [
        (
            name,
            compared(name, "asked", f"{median(name, 'asked'):.0f}"),
            compared(name, "asked_cpu", f"{median(name, 'asked_cpu') * 1e3:.2f}"),
            compared(name, "begun", f"{median(name, 'begun'):.0f}"),
            compared(name, "begun_cpu", f"{median(name, 'begun_cpu') * 1e3:.2f}"),
        )
        for name in report.bursts
    ]
    return table(("ours ÷ theirs in brackets", "asked for/s", "CPU ms each", "done/s", "CPU ms a job"), rows)


def _singles(report: Report) -> list[str]:
    rows = {**report.singles, f"{_OURS} without Redis": report.without_redis}
    return table(
        ("", "p50, ms", "p99, ms", "jobs"),
        [
            (name, f"{seen.p50 * 1e3:.1f}", f"{seen.p99 * 1e3:.1f}", str(len(seen.seconds)))
            for name, seen in rows.items()
        ],
    )


def _targets(report: Report) -> list[str]:
    ours = report.singles[_OURS]
    rows = [("with Redis", ours, _WITH_REDIS), ("without Redis", report.without_redis, _WITHOUT_REDIS)]
    return table(
        ("p50 of ours", "seen", "target", "met"),
        [
            (name, f"{seen.p50 * 1e3:.1f} ms", f"≤{most * 1e3:g} ms", verdict(holds=seen.p50 <= most))
            for name, seen, most in rows
        ],
    )


def _priority() -> str:
    """By `chrt -f 1` a machine that others use can be measured nearly as if they didn't."""
    realtime = hasattr(os, "sched_getscheduler") and os.sched_getscheduler(0) != os.SCHED_OTHER
    return ", all of us with real-time priority" if realtime else ""


def markdown(report: Report) -> str:
    """The page as it stands in docs/."""
    every = [each for bursts in report.bursts.values() for each in bursts]
    return _PAGE.read_text(encoding="utf-8").format(
        procrastinate=version("procrastinate"),
        rq=version("rq"),
        day=dt.datetime.now(dt.UTC).date().isoformat(),
        machine=machine(),
        jobs=report.jobs,
        repetitions=len(report.bursts[_OURS]),
        priority=_priority(),
        foreign=statistics.median(each.foreign for each in every),
        bursts="\n".join(_bursts(report)),
        singles="\n".join(_singles(report)),
        targets="\n".join(_targets(report)),
    )
