"""Three texts cut into segments: what all share, what one side changed, what both did."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterator, Sequence
from typing import Any

from merge3 import Merge3

Lines = Sequence[str]


class Outcome(enum.StrEnum):
    """Which side's lines a segment gives to the result."""

    CONFLICT = "conflict"
    CURRENT = "current"
    SAME = "same"
    SHARED = "shared"
    YOURS = "yours"


@dataclasses.dataclass(frozen=True, slots=True)
class Texts:
    """The three texts as lines without their ends; joined by line feeds they are the texts again."""

    base: Lines
    yours: Lines
    current: Lines

    @classmethod
    def split(cls, base: str, yours: str, current: str) -> Texts:
        """Only a line feed ends a line: whatever else Python would split at stays inside."""
        return cls(base.split("\n"), yours.split("\n"), current.split("\n"))


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of each text, as slices, and what becomes of it."""

    outcome: Outcome
    base: slice
    yours: slice
    current: slice

    def merged(self, texts: Texts) -> Lines:
        """The lines that it gives to the result; at a conflict those of the current text."""
        if self.outcome in {Outcome.YOURS, Outcome.SAME}:
            return texts.yours[self.yours]
        return texts.current[self.current]


def segments_of(texts: Texts, matcher: type[Any]) -> list[Segment]:
    """The three texts cut along what `matcher` finds in common, in order and without a gap.

    Changes that touch each other are one segment: between two segments stands at least one line that nobody
    changed.
    """
    merge = Merge3(texts.base, texts.yours, texts.current, sequence_matcher=matcher)
    return list(_cut(texts, merge.find_sync_regions()))


def _cut(texts: Texts, shared: Sequence[tuple[int, int, int, int, int, int]]) -> Iterator[Segment]:
    at_base = at_yours = at_current = 0
    for base, base_end, yours, yours_end, current, current_end in shared:
        gap = (slice(at_base, base), slice(at_yours, yours), slice(at_current, current))
        if any(side.start < side.stop for side in gap):
            yield Segment(_outcome(texts, *gap), *gap)
        if base < base_end:
            yield Segment(
                Outcome.SHARED, slice(base, base_end), slice(yours, yours_end), slice(current, current_end)
            )
        at_base, at_yours, at_current = base_end, yours_end, current_end


def _outcome(texts: Texts, base: slice, yours: slice, current: slice) -> Outcome:
    if texts.yours[yours] == texts.current[current]:
        return Outcome.SAME
    if texts.yours[yours] == texts.base[base]:
        return Outcome.CURRENT
    if texts.current[current] == texts.base[base]:
        return Outcome.YOURS
    return Outcome.CONFLICT
