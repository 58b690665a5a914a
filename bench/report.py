"""The table: printed, and written to docs/performance.md."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import pathlib
import platform
from collections.abc import Iterable, Sequence
from importlib.metadata import version

from bench.load import CONNECTIONS
from bench.servers import THREADS, WORKERS
from bench.trial import Bounds, Result

GROWTH_TARGETS = {"get": 1.3, "list": 1.3, "search": 2.0}
_IDLE_MB, _WORKER_MB, _TAIL = 750, 180, 4.0
_PAGE = pathlib.Path(__file__).parent / "page.md"


@dataclasses.dataclass(frozen=True, slots=True)
class Memory:
    """Proportional set sizes in bytes: all of `make run` idle, and a web worker after its requests."""

    idle: int
    idle_world: str
    worker: int
    worker_requests: int


@dataclasses.dataclass(frozen=True, slots=True)
class Report:
    """Everything that one run has seen.

    `door` is its share of a read's CPU, `growth` CPU a request, large world ÷ small, by row.
    """

    results: Sequence[Result]
    statements: dict[str, int]
    redis: float
    redis_limited: float
    door: float
    growth: dict[str, float]
    sizes: tuple[int, int]
    memory: Memory
    bounds: Bounds


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows)]


def verdict(*, holds: bool) -> str:
    """Whether a target is met, as the tables say it."""
    return "yes" if holds else "**no**"


def _speed(report: Report) -> list[str]:
    head = (
        *("same work", "requests/s", "F3", "÷ F3", "target", "met", "CPU ms", "F3", "statements", "at most"),
        "repetitions",
    )
    rows = []
    for result in report.results:
        measure, count = result.measure, report.statements.get(result.measure.key)
        rows.append(
            (
                measure.title,
                f"{result.rate:.0f}",
                f"{result.floor_rate:.0f}",
                f"{result.ratio:.3f}",
                f"≥{measure.target:g}",
                verdict(holds=result.ratio >= measure.target),
                f"{result.cpu * 1e3:.2f}",
                f"{result.floor_cpu * 1e3:.2f}",
                "-" if count is None else str(count),
                str(measure.statements or "-"),
                f"{result.undisturbed} + {result.disturbed} disturbed",
            )
        )
    return table(head, rows)


def _growth(report: Report) -> list[tuple[str, str, str, str]]:
    small, large = report.sizes
    return [
        (
            f"growth of CPU a request, {small:,} → {large:,} documents: {key}",
            f"{report.growth[key]:.2f}",
            f"≤{most:g}",
            verdict(holds=report.growth[key] <= most),
        )
        for key, most in GROWTH_TARGETS.items()
    ]


def _further(report: Report) -> list[str]:
    get = next(result for result in report.results if result.measure.key == "get")
    tail = f"{get.tail:.1f} (F3: {get.floor_tail:.1f})"
    rows = [
        *_growth(report),
        (
            "p99 ÷ p50 of GET at 8 connections",
            tail,
            f"≤{_TAIL:g}, or F3's",
            verdict(holds=get.tail <= max(_TAIL, get.floor_tail)),
        ),
        (
            "Redis commands of a warm read, limits off",
            f"{report.redis:.1f}",
            "0",
            verdict(holds=report.redis == 0),
        ),
        (
            "Redis commands of a warm read, limits on",
            f"{report.redis_limited:.1f}",
            "≤2",
            verdict(holds=report.redis_limited <= 2),
        ),
        (
            "share of the door (address, rules, limits, session) in a read's CPU",
            f"{report.door:.0%}",
            "-",
            "-",
        ),
        *_memory(report.memory),
    ]
    return table(("", "seen", "target", "met"), rows)


def _memory(memory: Memory) -> list[tuple[str, str, str, str]]:
    idle, worker = memory.idle / 2**20, memory.worker / 2**20
    return [
        (
            f"memory of all processes of `make run`, idle, with {memory.idle_world} (PSS)",
            f"{idle:.0f} MB",
            f"≤{_IDLE_MB} MB",
            verdict(holds=idle <= _IDLE_MB),
        ),
        (
            f"memory of a web worker after {memory.worker_requests:,} requests (PSS)",
            f"{worker:.0f} MB",
            f"≤{_WORKER_MB} MB",
            verdict(holds=worker <= _WORKER_MB),
        ),
    ]


def machine() -> str:
    """Where this runs, and on what."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    return f"{os.cpu_count()} cores of {model}, {platform.system()}, Python {platform.python_version()}"


def markdown(report: Report) -> str:
    """The page as it stands in docs/."""
    return _PAGE.read_text(encoding="utf-8").format(
        workers=WORKERS,
        threads=THREADS,
        day=dt.datetime.now(dt.UTC).date().isoformat(),
        machine=machine(),
        django=version("django"),
        gunicorn=version("gunicorn"),
        connections=CONNECTIONS,
        seconds=report.bounds.seconds,
        documents=report.sizes[1],
        requests="\n".join(_speed(report)),
        further="\n".join(_further(report)),
    )
