"""The merge of a hunk word by word, where both sides changed the same lines.

Two changes are both made where enough unchanged words stand between them; anything less clear stays a
conflict, since a wrong clean merge is worse than a choice.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise

from documents.merge.counting import fits
from documents.merge.delimiters import are_entangled
from documents.merge.tokens import Words, weight
from documents.merge.word_changes import Change, Side

# Measured on real edits, see docs/decisions/0008-three-way-merge-by-merge3.md. A word weighs 2.
_WEIGHT_BETWEEN = 8
# A side that changed more of the hunk wrote it anew: what it still shares with the others is chance.
_MAX_CHANGED = 0.5
_MAX_CHARACTERS = 60_000


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """The lines of a hunk's three texts in which a word of the result stands; None where it doesn't."""

    base: int | None
    yours: int | None
    current: int | None


@dataclasses.dataclass(frozen=True, slots=True)
class MergedWords:
    """The lines of a merged hunk, and for each line where its words come from."""

    lines: Sequence[str]
    origins: Sequence[frozenset[Origin]]


@dataclasses.dataclass(frozen=True, slots=True)
class _Piece:
    """A word of the result, the white space before it and its number in each of the three texts."""

    gap: str
    token: str
    base: int | None
    yours: int | None
    current: int | None


def merge_words(base: Sequence[str], yours: Sequence[str], current: Sequence[str]) -> MergedWords | None:
    """The lines of a hunk with the changes of both sides, None where a person has to choose."""
    if not (base and yours and current):
        return None
    texts = ["\n".join(lines) for lines in (base, yours, current)]
    if max(map(len, texts)) > _MAX_CHARACTERS:
        return None
    return _Hunk(*map(Words.split, texts)).merged()


class _Hunk:
    def __init__(self, base: Words, yours: Words, current: Words) -> None:
        self.base = base
        self.weights = [weight(token) for token in base.tokens]
        self.yours, self.current = Side(base, yours), Side(base, current)
        # What both did alike is done once: current's change by what it has in common with yours.
        own = {change.same for change in self.yours.changes}
        self.shared = {change.same: change for change in self.current.changes if change.same in own}
        self.wrapped_by = self._wrapped_by()

    def merged(self) -> MergedWords | None:
        if (
            self._is_rewritten()
            or not self._stand_apart()
            or are_entangled(self._swaps(self.yours), self._swaps(self.current))
        ):
            return None
        pieces = list(self._pieces())
        return self._lines(pieces) if self._nothing_is_lost(pieces) else None

    def _wrapped_by(self) -> int:
        """Whose ends of lines stand between unchanged words: 0 yours, 1 current.

        Two who wrap a paragraph anew do it in two ways. Both are right, a mixture isn't.
        """
        wraps = [
            sum(
                index is not None and side.words.gaps[index] != gap
                for index, gap in zip(side.index, self.base.gaps, strict=False)
            )
            for side in (self.yours, self.current)
        ]
        if wraps[0] == wraps[1]:
            # The same whichever side came first.
            return int(list(self.current.words.gaps) < list(self.yours.words.gaps))
        return int(wraps[1] > wraps[0])

    def _is_rewritten(self) -> bool:
        most = _MAX_CHANGED * sum(self.weights)
        return any(
            sum(self._weight(change.start, change.end) for change in side.changes) > most
            for side in (self.yours, self.current)
        )

    def _stand_apart(self) -> bool:
        """Whether enough unchanged words stand between what one side changed and what the other did."""
        return all(
            self._are_of_one(change, side, following, other)
            or self._weight(change.reach_end, following.reach_start) >= _WEIGHT_BETWEEN
            for (change, side), (following, other) in pairwise(self._in_order())
        )

    def _are_of_one(self, change: Change, side: Side, following: Change, other: Side) -> bool:
        """Whether one side, or both together, made two changes; what both made is each one's, too."""
        are_shared = (change.same in self.shared, following.same in self.shared)
        return all(are_shared) or (not any(are_shared) and side is other)

    def _weight(self, start: int, end: int) -> int:
        return sum(self.weights[start:end])

    def _swaps(self, side: Side) -> list[tuple[Sequence[str], Sequence[str]]]:
        return [
            (self.base.tokens[change.start : change.end], side.words.tokens[change.first : change.last])
            for change in side.changes
        ]

    def _pieces(self) -> Iterator[_Piece]:
        at = 0
        for change, side in self._in_order():
            yield from map(self._unchanged, range(at, change.start))
            yield from self._put_in(change, side)
            at = change.end
        yield from map(self._unchanged, range(at, len(self.base.tokens)))
        yield _Piece(_tail(self.base, self.yours.words, self.current.words), "", None, None, None)

    def _in_order(self) -> list[tuple[Change, Side]]:
        """The changes of both sides, those that both made once."""
        changes = [(change, self.yours) for change in self.yours.changes]
        changes += [
            (change, self.current) for change in self.current.changes if change.same not in self.shared
        ]
        return sorted(changes, key=lambda pair: (pair[0].start, pair[0].end))

    def _unchanged(self, number: int) -> _Piece:
        yours, current = self.yours.index[number], self.current.index[number]
        if yours is None or current is None:
            raise AssertionError("unreachable: changes of different sides stand apart")
        gaps = (self.yours.words.gaps[yours], self.current.words.gaps[current])
        return _Piece(gaps[self.wrapped_by], self.base.tokens[number], number, yours, current)

    def _put_in(self, change: Change, side: Side) -> Iterator[_Piece]:
        if change.same in self.shared:
            first = self.shared[change.same].first
            for number in range(change.first, change.last):
                yours, current = number, first + number - change.first
                gaps = (self.yours.words.gaps[yours], self.current.words.gaps[current])
                yield _Piece(gaps[self.wrapped_by], side.words.tokens[number], None, yours, current)
            return
        is_yours = side is self.yours
        for number in range(change.first, change.last):
            yield _Piece(
                side.words.gaps[number],
                side.words.tokens[number],
                None,
                number if is_yours else None,
                None if is_yours else number,
            )

    def _nothing_is_lost(self, pieces: Sequence[_Piece]) -> bool:
        """Whether no word is lost, doubled or revived because a side moved it within the hunk."""
        before = Counter(self.base.tokens)
        yours, current = Counter(self.yours.words.tokens), Counter(self.current.words.tokens)
        merged = Counter(piece.token for piece in pieces if piece.token)
        return all(
            fits(yours[token] - before[token], current[token] - before[token], merged[token] - before[token])
            for token in before.keys() | yours.keys() | current.keys()
            if weight(token)
        )

    def _lines(self, pieces: Sequence[_Piece]) -> MergedWords:
        base_lines = self.base.lines()
        text = "".join(piece.gap + piece.token for piece in pieces)
        lines = text.split("\n")
        origins: list[set[Origin]] = [set() for _ in lines]
        at = 0
        for piece in pieces:
            at += piece.gap.count("\n")
            if piece.token:
                origins[at].add(
                    Origin(
                        None if piece.base is None else base_lines[piece.base],
                        None if piece.yours is None else self.yours.lines[piece.yours],
                        None if piece.current is None else self.current.lines[piece.current],
                    )
                )
        return MergedWords(lines, [frozenset(found) for found in origins])


def _tail(base: Words, yours: Words, current: Words) -> str:
    """The white space after the last word."""
    if yours.gaps[-1] == base.gaps[-1]:
        return current.gaps[-1]
    return yours.gaps[-1] if current.gaps[-1] == base.gaps[-1] else min(yours.gaps[-1], current.gaps[-1])
