"""The differences between two bodies, as a unified diff, as hunks of lines or as hunks of words."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal

from documents.alignment import Change, changes, changes_between, lines_of

Op = Literal["delete", "equal", "insert"]

_CONTEXT = 3
# Of both sides together: what 100 ms suffice for.
_MAX_WORDS = 30_000
_WORDS = re.compile(r"\w+|\s+|[^\w\s]")
_NO_END = "\\ No newline at end of file"


@dataclasses.dataclass(frozen=True, slots=True)
class Run:
    """Consecutive items, lines or words, with the same fate."""

    op: Op
    items: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Hunk:
    """Changed lines that stand close together, with up to three unchanged ones on either side.

    Line numbers count from 1; a side without lines names the line before it.
    """

    old_start: int
    old_lines: int
    new_start: int
    new_lines: int
    runs: tuple[Run, ...]


def unified(old: str, new: str, old_name: str, new_name: str) -> str:
    """The difference as a unified diff (as GNU diffutils writes it), empty where there is none."""
    text: list[str] = []
    for hunk in hunks(old, new):
        text.append(
            f"@@ -{_range(hunk.old_start, hunk.old_lines)} +{_range(hunk.new_start, hunk.new_lines)} @@"
        )
        for run in hunk.runs:
            sign = {"equal": " ", "delete": "-", "insert": "+"}[run.op]
            for line in run.items:
                text.append(sign + line.removesuffix("\n"))
                if not line.endswith("\n"):
                    text.append(_NO_END)
    if not text:
        return ""
    return "\n".join([f"--- {old_name}", f"+++ {new_name}", *text, ""])


def line_hunks(old: str, new: str) -> list[dict[str, Any]]:
    """The hunks as JSON: `old_start old_lines new_start new_lines lines[]` of `op` and `text`."""
    return [
        {
            **_place(hunk),
            "lines": [{"op": run.op, "text": line} for run in hunk.runs for line in run.items],
        }
        for hunk in hunks(old, new)
    ]


def word_hunks(old: str, new: str) -> list[dict[str, Any]]:
    """As `line_hunks`, with `words[]` of `op` and `text` for lines: word by word where lines changed.

    Beyond 30,000 words and spaces the rest of the changed lines stay whole.
    """
    budget = _Budget(_MAX_WORDS)
    return [
        {
            **_place(hunk),
            "words": [{"op": run.op, "text": "".join(run.items)} for run in _by_words(hunk.runs, budget)],
        }
        for hunk in hunks(old, new)
    ]


def hunks(old: str, new: str) -> list[Hunk]:
    """What changed from `old` to `new`, line by line; bounded work for bodies of any kind."""
    a, b = lines_of(old), lines_of(new)
    found = changes(old.encode(), new.encode())
    return [_hunk(a, b, group) for group in _grouped(found, len(a))]


def _grouped(changes: Iterable[Change], length: int) -> Iterator[list[Change]]:
    """Changes whose contexts touch."""
    group: list[Change] = []
    for change in changes:
        if group and min(change[0], length) - group[-1][1] > 2 * _CONTEXT:
            yield group
            group = []
        group.append(change)
    if group:
        yield group


def _hunk(a: Sequence[str], b: Sequence[str], group: Sequence[Change]) -> Hunk:
    before = min(_CONTEXT, group[0][0], group[0][2])
    after = min(_CONTEXT, len(a) - group[-1][1])
    old_start, new_start = group[0][0] - before, group[0][2] - before
    old_end, new_end = group[-1][1] + after, group[-1][3] + after
    return Hunk(
        old_start=old_start + 1 if old_start < old_end else old_start,
        old_lines=old_end - old_start,
        new_start=new_start + 1 if new_start < new_end else new_start,
        new_lines=new_end - new_start,
        runs=tuple(_runs(a, b, group, (old_start, old_end))),
    )


def _runs(
    a: Sequence[str], b: Sequence[str], group: Sequence[Change], span: tuple[int, int]
) -> Iterator[Run]:
    at = span[0]
    for old, old_end, new, new_end in group:
        yield from _run("equal", a[at:old])
        yield from _run("delete", a[old:old_end])
        yield from _run("insert", b[new:new_end])
        at = old_end
    yield from _run("equal", a[at : span[1]])


def _run(op: Op, items: Sequence[str]) -> Iterator[Run]:
    if items:
        yield Run(op, tuple(items))


@dataclasses.dataclass(slots=True)
class _Budget:
    """How many words may still be compared."""

    left: int

    def covers(self, *sides: Sequence[str]) -> bool:
        self.left -= sum(map(len, sides))
        return self.left >= 0


def _by_words(runs: Sequence[Run], budget: _Budget) -> Iterator[Run]:
    """The runs with each deleted one that an inserted one follows compared word by word."""
    at = 0
    while at < len(runs):
        pair = runs[at : at + 2]
        at += 1
        if [run.op for run in pair] != ["delete", "insert"] or budget.left <= 0:
            yield pair[0]
            continue
        old, new = map(_split, pair)
        at += 1
        if budget.covers(old, new):
            yield from _runs(old, new, changes_between(old, new), (0, len(old)))
        else:
            yield from pair


def _split(run: Run) -> list[str]:
    return _WORDS.findall("".join(run.items))


def _place(hunk: Hunk) -> dict[str, Any]:
    return {
        "old_start": hunk.old_start,
        "old_lines": hunk.old_lines,
        "new_start": hunk.new_start,
        "new_lines": hunk.new_lines,
    }


def _range(start: int, count: int) -> str:
    return str(start) if count == 1 else f"{start},{count}"
