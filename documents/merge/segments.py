"""Three texts cut into segments: what all share, what one side changed, what both did."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from merge3 import Merge3

from documents.merge.words import MergedWords, merge_words

Lines = Sequence[str]


class Outcome(enum.StrEnum):
    """Which side's lines a segment gives to the result."""

    CONFLICT = "conflict"
    CURRENT = "current"
    MERGED = "merged"
    SAME = "same"
    SHARED = "shared"
    YOURS = "yours"


@dataclasses.dataclass(frozen=True, slots=True)
class Texts:
    """The three texts as lines without their ends; joined by line feeds they are the texts again."""

    base: Lines
    yours: Lines
    current: Lines

    @property
    def longest(self) -> int:
        """The number of lines of the longest text."""
        return max(map(len, (self.base, self.yours, self.current)))

    @classmethod
    def split(cls, base: str, yours: str, current: str) -> Texts:
        """Only a line feed ends a line: whatever else Python would split at stays inside."""
        return cls(base.split("\n"), yours.split("\n"), current.split("\n"))


@dataclasses.dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of each text, as slices, and what becomes of it; `words` where it is merged by words."""

    outcome: Outcome
    base: slice
    yours: slice
    current: slice
    words: MergedWords | None = None

    def merged(self, texts: Texts) -> Lines:
        """The lines that it gives to the result; at a conflict those of the current text."""
        if self.outcome is Outcome.MERGED and self.words:
            return self.words.lines
        if self.outcome in {Outcome.YOURS, Outcome.SAME}:
            return texts.yours[self.yours]
        return texts.current[self.current]

    def size(self, texts: Texts) -> int:
        """How many characters it has in all three texts."""
        sides = (texts.base[self.base], texts.yours[self.yours], texts.current[self.current])
        return sum(len(line) for side in sides for line in side)


def segments_of(texts: Texts, matcher: type[Any]) -> list[Segment]:
    """The three texts cut along what `matcher` finds in common, in order and without a gap.

    Changes that touch each other are one segment: between two segments stands at least one line that nobody
    changed.
    """
    merge = Merge3(texts.base, texts.yours, texts.current, sequence_matcher=matcher)
    return list(_cut(texts, merge.find_sync_regions()))


def in_three(texts: Texts) -> list[Segment]:
    """What all three texts begin with, what lies between as one conflict, and what they end with."""
    sides = (texts.base, texts.yours, texts.current)
    top = _common(zip(*sides, strict=False))
    bottom = _common(zip(*(side[top:][::-1] for side in sides), strict=False))
    cuts = [
        (slice(0, top), slice(top, len(side) - bottom), slice(len(side) - bottom, len(side)))
        for side in sides
    ]
    outcomes = (Outcome.SHARED, Outcome.CONFLICT, Outcome.SHARED)
    return [
        Segment(outcome, *places)
        for outcome, *places in zip(outcomes, *cuts, strict=True)
        if any(place.start < place.stop for place in places)
    ]


def _common(rows: Iterable[tuple[str, ...]]) -> int:
    """How many of the first rows hold one line three times."""
    count = 0
    for base, yours, current in rows:
        if not base == yours == current:
            break
        count += 1
    return count


def by_words(texts: Texts, segment: Segment) -> Segment:
    """A conflict merged by words where that is safe, else as it was."""
    words = merge_words(texts.base[segment.base], texts.yours[segment.yours], texts.current[segment.current])
    return dataclasses.replace(segment, outcome=Outcome.MERGED, words=words) if words else segment


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
