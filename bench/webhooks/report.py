"""The page: printed, and written to docs/deliveries.md."""

from __future__ import annotations

import datetime as dt
import pathlib
import statistics
from collections.abc import Mapping, Sequence

from bench.report import machine, table, verdict
from bench.webhooks.rounds import Seen

_LEAST = 60.0
_PAGE = pathlib.Path(__file__).parent / "page.md"


def _median(seen: Sequence[Seen], what: str) -> float:
    return float(statistics.median(getattr(each, what) for each in seen))


def markdown(seen: Mapping[str, Sequence[Seen]], count: int) -> str:
    """The page as it stands in docs/, of rounds of `count` deliveries by the receiver's manner."""
    head = ("a receiver that", "deliveries/s", "CPU ms each", "of the sender", "of PostgreSQL")
    rows = []
    for name, rounds in seen.items():
        sender, database = (_median(rounds, what) * 1e3 for what in ("sender_cpu", "database_cpu"))
        counted = (f"{_median(rounds, what):.2f}" for what in ("requests", "connections"))
        rate = _median(rounds, "rate")
        rows.append(
            (name, f"{rate:.0f}", f"{sender + database:.2f}", f"{sender:.2f}", f"{database:.2f}", *counted)
        )
    slowest = min(_median(rounds, "rate") for rounds in seen.values())
    target = (
        "the slowest of these",
        f"{slowest:.0f}/s",
        f"≥{_LEAST:.0f}/s",
        verdict(holds=slowest >= _LEAST),
    )
    return _PAGE.read_text(encoding="utf-8").format(
        day=dt.datetime.now(dt.UTC).date().isoformat(),
        machine=machine(),
        count=count,
        repetitions=max(len(rounds) for rounds in seen.values()),
        foreign=statistics.median(each.foreign for rounds in seen.values() for each in rounds),
        table="\n".join(table((*head, "requests", "connections"), rows)),
        targets="\n".join(table(("", "seen", "target", "met"), [target])),
    )
