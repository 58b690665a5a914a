"""What one side changed of a hunk, word by word."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from documents.matching import matching_blocks
from documents.merge.tokens import Words


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """What a side made of the base's words `start:end`: its own words `first:last`.

    Where words repeat, the same change could as well stand anywhere from `reach_start` to `reach_end` of the
    base.
    """

    start: int
    end: int
    first: int
    last: int
    reach_start: int
    reach_end: int
    new: tuple[str, ...]

    @property
    def same(self) -> tuple[int, int, tuple[str, ...]]:
        """Equal for two sides that did the same at the same place."""
        return self.start, self.end, self.new


class Side:
    """One side's words, aligned with the base's.

    `index` tells for each word of the base which of the side's words it is, None where it is gone.
    """

    def __init__(self, base: Words, words: Words) -> None:
        self.words = words
        self.keys = words.keys()
        self.lines = words.lines()
        self.changes: list[Change] = []
        self.index: list[int | None] = [None] * len(base.tokens)
        before = base.keys()
        old = new = 0
        for start, first, size in matching_blocks(before, self.keys):
            self.index[start : start + size] = range(first, first + size)
            if (old, new) != (start, first):
                self.changes.append(_change(before, self.keys, (old, start, new, first)))
            old, new = start + size, first + size
        if (old, new) != (len(before), len(self.keys)):
            self.changes.append(_change(before, self.keys, (old, len(before), new, len(self.keys))))


def _change(before: Sequence[str], after: Sequence[str], place: tuple[int, int, int, int]) -> Change:
    start, end, first, last = place
    reach_start, reach_end = start, end
    if start == end:
        reach_start -= _repeats(before[:start][::-1], after[first:last][::-1])
        reach_end += _repeats(before[start:], after[first:last])
    elif first == last:
        reach_start -= _repeats(before[:start][::-1], before[start:end][::-1])
        reach_end += _repeats(before[end:], before[start:end])
    return Change(start, end, first, last, reach_start, reach_end, tuple(after[first:last]))


def _repeats(words: Sequence[str], pattern: Sequence[str]) -> int:
    """How many of the words go on as the pattern does, repeated without end."""
    for number, word in enumerate(words):
        if word != pattern[number % len(pattern)]:
            return number
    return len(words)
