"""Where a quoted passage stands in a text, and where it went when the text changed. Pure: no query.

A passage is quoted as the TextQuoteSelector of the W3C's Web Annotation model has it: its text, and some of
what stands around it, which tells equal passages apart. Offsets count code points.
"""

from __future__ import annotations

import dataclasses
import difflib
import enum
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from documents.matching import matching_blocks, shared_start

CONTEXT = 64
# What a passage may grow to by what others write into it; beyond that it is none any more.
LONGEST = 10_000

# Of a passage that stands in a text more often the first ones are looked at.
_OCCURRENCES = 10_000
# What stands in a changed stretch more often can't be told apart.
_AMBIGUOUS = 100
_LONGEST_WORD = 200
# Changed stretches with more words than this, or after so many in one change, are taken as replaced whole.
_WORDS_AT_ONCE = 4_000
_WORDS_IN_ALL = 40_000
# Letters that all searches of one change may look through; to compare two places counts as so many.
_SEARCHED = 100_000_000
_COMPARED = 20
# A passage of which less is left is gone; one of which less than half is left may have been moved elsewhere.
_LEFT_AT_LEAST = 0.2
_LEFT_SURELY = 0.5
# So alike must a replacement be where no word of a passage is left, and so long may both be.
_ALIKE = 0.6
_ALIKE_LENGTH = 1_000
# A shorter passage is found again elsewhere only where some of what stood around it came along.
_TELLING = 12
_TELLING_CONTEXT = 8

# Scripts without spaces go by the letter: Thai and Lao, kana, Han, Hangul.
_LETTERS = "\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\U00020000-\U0003ffff"
_WORD = re.compile(rf"[{_LETTERS}]|[^\W{_LETTERS}]+|\s+|[^\w\s]")


class AnchorState(enum.StrEnum):
    """What became of the passage that a thread hangs on."""

    ANCHORED = "anchored"
    CHANGED = "changed"
    GONE = "gone"
    NONE = "none"


@dataclasses.dataclass(frozen=True, slots=True)
class Passage:
    """What was quoted, and up to `CONTEXT` letters that stood on each side of it."""

    quote: str
    prefix: str = ""
    suffix: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """Where a passage stands; for one that is gone both offsets are where it was."""

    state: AnchorState
    start: int
    end: int


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """A passage with its true surroundings, where it stands, and how often its text stands there at all."""

    passage: Passage
    place: Place
    occurrences: int


def passage_find(text: str, wanted: Passage) -> Found | None:
    """The occurrence of the quote that fits its prefix and suffix best, of equal ones the first.

    None where the quote stands nowhere in the text.
    """
    starts = list(_occurrences(text, wanted.quote))
    if not starts:
        return None
    start = starts[0]
    if wanted.prefix or wanted.suffix:
        start = max(starts, key=lambda at: (_fit(text, at, wanted), -at))
    end = start + len(wanted.quote)
    passage = Passage(wanted.quote, text[max(0, start - CONTEXT) : start], text[end : end + CONTEXT])
    return Found(passage, Place(AnchorState.ANCHORED, start, end), len(starts))


class Move:
    """One change of a text, by which any number of passages move. The work for all of them is bounded."""

    def __init__(self, old: str, new: str) -> None:
        self._old, self._new = old, new
        self._stretches = list(_changes_by_lines(old, new))
        self._ends = [stretch.old_end for stretch in self._stretches]
        self._fine: dict[int, list[_Change]] = {}
        self._words = _WORDS_IN_ALL
        self._searched = _SEARCHED

    def place(self, passage: Passage, was: Place) -> Place:
        """Where the passage stands in the new text: unchanged, changed, moved, found again, or gone."""
        place, left = self._carried(was)
        if place.state is AnchorState.GONE or left < _LEFT_SURELY:
            place = self._elsewhere(passage, was) or place
        return place if place.state is AnchorState.GONE else _fitted(self._new, place, passage.quote)

    # --- along the alignment ---------------------------------------------------------------------------
    def _carried(self, was: Place) -> tuple[Place, float]:
        """Where the alignment puts it, and which part of it was left as it was."""
        changes, shift = self._touching(was.start, was.end)
        start = _start(was.start, was.end, changes, shift)
        end = _end(was.end, changes, shift)
        gone = Place(AnchorState.GONE, min(start, end), min(start, end))
        if was.state is AnchorState.GONE:
            return gone, 0.0
        now = self._new[start:end]
        if not now.strip() or len(now) > LONGEST:
            return gone, 0.0
        left = _left(self._old, was, changes)
        if left < _LEFT_AT_LEAST and not self._replaced_alike(was, now, changes):
            return gone, 0.0
        return Place(AnchorState.CHANGED, start, end), left

    def _replaced_alike(self, was: Place, now: str, changes: Sequence[_Change]) -> bool:
        """Whether `now` is what was put in the place of just this passage, and reads much like it."""
        before = self._old[was.start : was.end]
        if any(change.straddles(was.start) or change.straddles(was.end) for change in changes):
            return False
        if max(len(before), len(now)) > _ALIKE_LENGTH:
            return False
        matcher = difflib.SequenceMatcher(None, before, now, autojunk=False)
        return matcher.quick_ratio() >= _ALIKE and matcher.ratio() >= _ALIKE

    def _touching(self, start: int, end: int) -> tuple[list[_Change], int]:
        """The changes that touch a stretch of the old text, and how far what stands before them moved."""
        first = bisect_left(self._ends, start)
        before = self._stretches[first - 1] if first else _Change(0, 0, 0, 0)
        changes: list[_Change] = []
        for number in range(first, len(self._stretches)):
            if self._stretches[number].old > end:
                break
            changes += self._changes(number)
        return changes, before.new_end - before.old_end

    def _changes(self, number: int) -> list[_Change]:
        """The changes of a stretch, word by word where that isn't too much."""
        if number not in self._fine:
            self._fine[number] = self._by_words(self._stretches[number])
        return self._fine[number]

    def _by_words(self, stretch: _Change) -> list[_Change]:
        stretch = _trimmed(self._old, self._new, stretch)
        old, new = self._old[stretch.old : stretch.old_end], self._new[stretch.new : stretch.new_end]
        if not old or not new or max(len(old), len(new)) > 32 * _WORDS_AT_ONCE:
            return [stretch]
        a, b = _WORD.findall(old), _WORD.findall(new)
        if max(len(a), len(b)) > min(_WORDS_AT_ONCE, self._words):
            return [stretch]
        self._words -= max(len(a), len(b))
        return list(_changes(a, b, stretch.old, stretch.new))

    # --- anew ------------------------------------------------------------------------------------------
    def _elsewhere(self, passage: Passage, was: Place) -> Place | None:
        """The only place where the change put the passage, as it was quoted or as it read last."""
        last = self._old[was.start : was.end]
        for wanted in dict.fromkeys((passage.quote, last)):
            if not wanted.strip():
                continue
            start = self._brought(dataclasses.replace(passage, quote=wanted))
            if start is not None:
                return Place(AnchorState.CHANGED, start, start + len(wanted))
        return None

    def _brought(self, passage: Passage) -> int | None:
        """Where the quote stands in what the change brought: the one place, or the one that fits best."""
        fits = {start: _fit(self._new, start, passage) for start in self._brought_all(passage.quote)}
        if not fits:
            return None
        ranked = sorted(fits, key=fits.__getitem__, reverse=True)
        best = fits[ranked[0]]
        if len(ranked) > 1 and fits[ranked[1]] == best:
            return None
        whole = best == len(passage.prefix) + len(passage.suffix)
        telling = sum(letter.isalnum() for letter in passage.quote) >= _TELLING
        return ranked[0] if telling or whole or best >= _TELLING_CONTEXT else None

    def _brought_all(self, quote: str) -> set[int]:
        """Every occurrence of the quote in the new text that the old one didn't have at that place."""
        found: set[int] = set()
        reach = len(quote) - 1
        for number, stretch in enumerate(self._stretches):
            if self._searched < 0:
                return set()
            low = max(0, stretch.new - reach)
            window = self._new[low : stretch.new_end + reach]
            self._searched -= len(window)
            for start in _occurrences(window, quote):
                at, changes = low + start, self._changes(number)
                self._searched -= _COMPARED * len(changes)
                if any(change.is_in(at, at + len(quote)) for change in changes):
                    found.add(at)
                    if len(found) > _AMBIGUOUS:
                        return set()
        return found


@dataclasses.dataclass(frozen=True, slots=True)
class _Change:
    """A stretch of the old text and what the new one has in its place."""

    old: int
    old_end: int
    new: int
    new_end: int

    def straddles(self, at: int) -> bool:
        """Whether an offset of the old text lies inside of what was replaced."""
        return self.old < at < self.old_end

    def is_in(self, start: int, end: int) -> bool:
        """Whether a stretch of the new text holds some of the change, a cut without a trace included."""
        if self.new == self.new_end:
            return start < self.new < end
        return self.new < end and self.new_end > start


def _start(at: int, end: int, changes: Iterable[_Change], shift: int) -> int:
    """Where a passage begins now. What was put before it is none of it, a replaced beginning is."""
    now = at + shift
    for change in changes:
        if change.old > at:
            break
        if change.old == at < change.old_end <= end:
            return change.new
        if change.old_end > at:
            return change.new_end
        now = at + change.new_end - change.old_end
    return now


def _end(at: int, changes: Iterable[_Change], shift: int) -> int:
    """Where a passage ends now, likewise."""
    now = at + shift
    for change in changes:
        if change.old >= at:
            break
        if change.old_end > at:
            return change.new
        now = at + change.new_end - change.old_end
    return now


def _fitted(text: str, place: Place, quote: str) -> Place:
    """The place without what came to its ends: spaces, or all but the one occurrence of the quote in it."""
    now = text[place.start : place.end]
    if now.count(quote) == 1:
        start = place.start + now.index(quote)
        return Place(AnchorState.ANCHORED, start, start + len(quote))
    start, end = place.start, place.end
    if not quote[0].isspace():
        start += len(now) - len(now.lstrip())
    if not quote[-1].isspace():
        end -= len(now) - len(now.rstrip())
    return Place(AnchorState.CHANGED, start, end)


def _left(old: str, was: Place, changes: Iterable[_Change]) -> float:
    """Which part of a passage's letters and digits no change touched; of all its signs where it has none."""
    text = old[was.start : was.end]
    counted = [letter.isalnum() for letter in text]
    if not any(counted):
        counted = [True] * len(text)
    whole = sum(counted)
    if not whole:
        return 0.0
    touched = sum(
        sum(counted[max(0, change.old - was.start) : max(0, change.old_end - was.start)])
        for change in changes
    )
    return 1 - touched / whole


def _fit(text: str, start: int, passage: Passage) -> int:
    """How many letters before and behind an occurrence are those that stood around the passage."""
    before = text[max(0, start - len(passage.prefix)) : start]
    end = start + len(passage.quote)
    behind = text[end : end + len(passage.suffix)]
    return shared_start(before[::-1], passage.prefix[::-1]) + shared_start(behind, passage.suffix)


def _occurrences(text: str, wanted: str) -> Iterator[int]:
    at = text.find(wanted)
    for _ in range(_OCCURRENCES):
        if at < 0:
            return
        yield at
        at = text.find(wanted, at + 1)


# --- the alignment -------------------------------------------------------------------------------------
def _changes_by_lines(old: str, new: str) -> Iterator[_Change]:
    if old == new:
        return
    a, b = old.splitlines(keepends=True), new.splitlines(keepends=True)
    head = 0
    for one, other in zip(a, b, strict=False):
        if one != other:
            break
        head += 1
    tail = 0
    for one, other in zip(reversed(a[head:]), reversed(b[head:]), strict=False):
        if one != other:
            break
        tail += 1
    before = sum(map(len, a[:head]))
    yield from _changes(a[head : len(a) - tail], b[head : len(b) - tail], before, before)


def _changes(a: Sequence[str], b: Sequence[str], old: int, new: int) -> Iterator[_Change]:
    """The changes between two sequences of pieces that begin at these offsets, in code points."""
    at_a = at_b = 0
    for start, other, size in [*matching_blocks(a, b), (len(a), len(b), 0)]:
        old_end = old + sum(map(len, a[at_a:start]))
        new_end = new + sum(map(len, b[at_b:other]))
        if (old, new) != (old_end, new_end):
            yield _Change(old, old_end, new, new_end)
        same = sum(map(len, a[start : start + size]))
        old, new = old_end + same, new_end + same
        at_a, at_b = start + size, other + size


def _trimmed(old: str, new: str, stretch: _Change) -> _Change:
    """The stretch without the whole words that both sides share at its ends, however long it is."""
    a, b = old[stretch.old : stretch.old_end], new[stretch.new : stretch.new_end]
    head = _in_words(a, b, shared_start(a, b))
    a, b = a[head:][::-1], b[head:][::-1]
    tail = _in_words(a, b, shared_start(a, b))
    return _Change(stretch.old + head, stretch.old_end - tail, stretch.new + head, stretch.new_end - tail)


def _in_words(one: str, other: str, length: int) -> int:
    """As much of a common beginning as ends inside of no word of either; of a word without end all of it."""
    whole = length
    while _cuts(one, whole) or _cuts(other, whole):
        whole -= 1
        if length - whole > _LONGEST_WORD:
            return length
    return whole


def _cuts(text: str, at: int) -> bool:
    """Whether an offset lies inside of a word."""
    return 0 < at < len(text) and text[at - 1].isalnum() and text[at].isalnum()
