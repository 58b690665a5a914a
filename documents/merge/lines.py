"""The merge of one text by lines."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence

from documents.matching import ExactMatcher, PatientMatcher, is_cheap
from documents.merge.labels import mislabelled
from documents.merge.moves import misplaced
from documents.merge.result import Conflict, MergeResult, Reason
from documents.merge.segments import Lines, Outcome, Segment, Texts, by_words, in_three, segments_of
from documents.merge.structure import Outlines, Verdict, broken

# More hunks than a person could look through are shown as one.
_MAX_CONFLICTS = 200
# A body of more lines than this has a handful of characters in each, and takes more than a second a megabyte.
_MAX_LINES = 200_000
# How much is looked at word by word, over all conflicts: about a quarter of a second.
_MAX_CHARACTERS = 200_000


def merge_texts(base: str, yours: str, current: str, *, field: str = "content") -> MergeResult:
    """Merge what `yours` and `current` each made of `base`; `field` names the text in conflicts.

    The work is bounded for any input of a body's size: the alignment is n log n, the check of the structure
    has a budget, and what doesn't fit is a conflict.
    """
    if yours in {base, current}:
        return MergeResult(current)
    if current == base:
        return MergeResult(yours)
    texts = Texts.split(base, yours, current)
    if texts.longest > _MAX_LINES:
        return _refused(texts, field)
    outlines = Outlines(texts)
    aligned = segments_of(texts, PatientMatcher)
    best = _merged(outlines, aligned, field)
    for segments, is_by_words in _other_ways(outlines, aligned) if _is_overlap(best) else ():
        result = _merged(outlines, segments, field)
        if not result.conflicts:
            return result
        if is_by_words and _leaves_less(result, best):
            best = result
    return best


def _is_overlap(result: MergeResult) -> bool:
    """Whether there are conflicts that another way of looking at the texts may solve."""
    return any(conflict.reason is not Reason.TOO_LARGE for conflict in result.conflicts)


def _refused(texts: Texts, field: str) -> MergeResult:
    """One conflict over all that isn't the same at the beginning and at the end."""
    segments = in_three(texts)
    reasons = {
        index: Reason.TOO_LARGE
        for index, segment in enumerate(segments)
        if segment.outcome is Outcome.CONFLICT
    }
    return MergeResult("\n".join(texts.current), tuple(_conflicts(texts, segments, reasons, field)))


def _other_ways(outlines: Outlines, aligned: Sequence[Segment]) -> Iterator[tuple[Sequence[Segment], bool]]:
    """What is tried after the safest alignment, with more risk each time: segments, whether by words."""
    texts = outlines.texts
    ways = [aligned]
    if is_cheap(texts.base, texts.yours) and is_cheap(texts.base, texts.current):
        ways.append(segments_of(texts, ExactMatcher))
        yield ways[1], False
    for segments in ways:
        if any(segment.outcome is Outcome.CONFLICT for segment in segments):
            yield _by_words(outlines, segments), True


def _by_words(outlines: Outlines, segments: Sequence[Segment]) -> list[Segment]:
    """The segments with each conflict between sentences merged by words, as far as the budget goes."""
    left = _MAX_CHARACTERS
    found = []
    for segment in segments:
        if segment.outcome is Outcome.CONFLICT and (cost := segment.size(outlines.texts)) <= left:
            left -= cost
            found.append(by_words(outlines.texts, segment) if outlines.is_prose(segment) else segment)
        else:
            found.append(segment)
    return found


def _leaves_less(result: MergeResult, best: MergeResult) -> bool:
    """Whether a result by words is worth showing: it leaves less to choose, and nothing speaks against it."""
    return len(result.conflicts) < len(best.conflicts) and all(
        conflict.reason is Reason.OVERLAP for conflict in result.conflicts
    )


def _merged(outlines: Outlines, segments: Sequence[Segment], field: str) -> MergeResult:
    texts = outlines.texts
    reasons = {
        index: Reason.OVERLAP for index, segment in enumerate(segments) if segment.outcome is Outcome.CONFLICT
    }
    reasons.update(dict.fromkeys(misplaced(texts, segments), Reason.MOVED))
    if not reasons:
        verdict, indexes = broken(outlines, segments)
        reason = Reason.TOO_LARGE if verdict is Verdict.TOO_LARGE else Reason.STRUCTURE
        reasons = dict.fromkeys(indexes or mislabelled(texts, segments), reason)
    if len(reasons) > _MAX_CONFLICTS:
        segments, reasons = _as_one(segments, reasons)
    settled = [
        dataclasses.replace(segment, outcome=Outcome.CONFLICT) if index in reasons else segment
        for index, segment in enumerate(segments)
    ]
    return MergeResult("\n".join(_joined(texts, settled)), tuple(_conflicts(texts, settled, reasons, field)))


def _as_one(
    segments: Sequence[Segment], reasons: dict[int, Reason]
) -> tuple[list[Segment], dict[int, Reason]]:
    """The segments with one conflict from the first to the last."""
    first, last = min(reasons), max(reasons)
    start, end = segments[first], segments[last]
    whole = Segment(
        Outcome.CONFLICT,
        slice(start.base.start, end.base.stop),
        slice(start.yours.start, end.yours.stop),
        slice(start.current.start, end.current.stop),
    )
    return [*segments[:first], whole, *segments[last + 1 :]], {first: reasons[first]}


def _joined(texts: Texts, segments: Sequence[Segment]) -> Iterator[str]:
    for segment in segments:
        yield from segment.merged(texts)


def _conflicts(
    texts: Texts, segments: Sequence[Segment], reasons: dict[int, Reason], field: str
) -> Iterator[Conflict]:
    merged_at = 0
    for index, segment in enumerate(segments):
        if index in reasons:
            yield _conflict(texts, segment, merged_at, reasons[index], field)
        merged_at += len(segment.merged(texts))


def _conflict(texts: Texts, segment: Segment, merged_at: int, reason: Reason, field: str) -> Conflict:
    back = _lines_to_take_along(texts, segment)
    current = _text_of(texts.current, segment.current, back)
    return Conflict(
        field=field,
        reason=reason,
        base=_text_of(texts.base, segment.base, back),
        yours=_text_of(texts.yours, segment.yours, back),
        current=current,
        line=segment.current.start - back + 1,
        lines=current.count("\n") + (1 if current and not current.endswith("\n") else 0),
        merged_line=merged_at - back + 1,
    )


def _lines_to_take_along(texts: Texts, segment: Segment) -> int:
    """1 where a side is empty at the end of the text: the end of the line before belongs to the choice."""
    if segment.current.stop < len(texts.current):
        return 0
    sides = (segment.base, segment.yours, segment.current)
    return int(any(side.start == side.stop for side in sides))


def _text_of(lines: Lines, side: slice, back: int) -> str:
    """A stretch of lines as it stands in its text, the end of its last line included."""
    text = "\n".join(lines[side.start - back : side.stop])
    return text + "\n" if side.start - back < side.stop < len(lines) else text
