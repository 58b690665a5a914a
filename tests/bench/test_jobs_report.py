"""The page on background work: ratios, and whether jobs begin in time."""

from __future__ import annotations

from bench.jobs.report import Report, markdown
from bench.jobs.rounds import Burst, Delays


def _page(*, begins: float) -> str:
    ours, theirs = Burst(100, 0.004, 20, 0.050, 0.1), Burst(200, 0.002, 80, 0.010, 0.1)
    sides = {"CloudScribe": ours, "procrastinate": theirs, "RQ": theirs}
    return markdown(
        Report(
            bursts={name: [burst] * 3 for name, burst in sides.items()},
            singles={name: Delays([begins] * 50) for name in sides},
            without_redis=Delays([0.4] * 50),
            jobs=60,
        )
    )


def test_markdown_compares_us_with_the_others() -> None:
    """Ours over theirs, so that more is better of jobs and worse of CPU."""
    page = _page(begins=0.02)
    assert "| CloudScribe | 100 | 4.00 | 20 | 50.00 |" in page
    assert "| procrastinate | 200 (0.50) | 2.00 (2.00) | 80 (0.25) | 10.00 (5.00) |" in page


def test_markdown_tells_whether_jobs_begin_in_time() -> None:
    """25 ms with Redis, a second without."""
    assert "| with Redis | 20.0 ms | ≤25 ms | yes |" in _page(begins=0.02)
    assert "| with Redis | 26.0 ms | ≤25 ms | **no** |" in _page(begins=0.026)
    assert "| without Redis | 400.0 ms | ≤1000 ms | yes |" in _page(begins=0.02)
