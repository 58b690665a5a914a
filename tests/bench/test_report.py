"""The page says of each figure whether its target is met."""

from __future__ import annotations

from bench.load import Load
from bench.measures import MEASURES
from bench.report import Memory, Report, markdown
from bench.trial import Bounds, Pair, Result

FLOOR = Load(10_000, 1_000, 0.002, 0.004)


def _report(*, rate: float, idle: int) -> Report:
    pair = Pair(FLOOR, Load(1_000, rate, 0.002, 0.006), 0.001, 0.004)
    results = [Result(measure, (pair, pair, pair), undisturbed=3, disturbed=1) for measure in MEASURES]
    return Report(
        results=results,
        statements={"get": 2},
        redis=0,
        redis_limited=2,
        door=0.4,
        growth={"get": 1.0, "list": 1.1, "search": 1.5},
        sizes=(1_000, 10_000),
        memory=Memory(idle, "the demo workspace", 100 * 2**20, 10_000),
        bounds=Bounds(5, 5),
    )


def test_markdown_tells_what_is_met() -> None:
    """At 400 of the floor's 1,000 requests a second GET is above its 0.30."""
    page = markdown(_report(rate=400, idle=500 * 2**20))
    row = next(line for line in page.splitlines() if line.startswith("| GET one document"))
    assert "| 400 | 1000 | 0.400 | ≥0.3 | yes | 4.00 | 1.00 | 2 | 2 | 3 + 1 disturbed |" in row
    assert "**no**" not in page


def test_markdown_tells_what_is_missed() -> None:
    """A figure below its target is missed, also where rounding would hide it."""
    page = markdown(_report(rate=299.9, idle=751 * 2**20))
    assert "| 0.300 | ≥0.3 | **no** |" in page
    assert "751 MB | ≤750 MB | **no** |" in page
