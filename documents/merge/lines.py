"""The merge of one text by lines."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

from documents.matching import ExactMatcher, PatientMatcher, is_cheap
from documents.merge.moves import misplaced
from documents.merge.result import Conflict, MergeResult, Reason
from documents.merge.segments import Lines, Outcome, Segment, Texts, segments_of
from documents.merge.structure import Verdict, broken

# More hunks than a person could look through are shown as one.
_MAX_CONFLICTS = 200


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
    first: MergeResult | None = None
    for matcher in _matchers(texts):
        result = _merged(texts, segments_of(texts, matcher), field)
        if not result.conflicts:
            return result
        first = first or result
    if first is None:
        raise AssertionError("unreachable: there is always a first matcher")
    return first


def _matchers(texts: Texts) -> Iterator[type[Any]]:
    """The safest alignment first; another one only where that leaves a conflict and it costs little."""
    yield PatientMatcher
    if is_cheap(texts.base, texts.yours) and is_cheap(texts.base, texts.current):
        yield ExactMatcher


def _merged(texts: Texts, segments: Sequence[Segment], field: str) -> MergeResult:
    reasons = {
        index: Reason.OVERLAP for index, segment in enumerate(segments) if segment.outcome is Outcome.CONFLICT
    }
    reasons.update(dict.fromkeys(misplaced(texts, segments), Reason.MOVED))
    if not reasons:
        verdict, indexes = broken(texts, segments)
        reason = Reason.TOO_LARGE if verdict is Verdict.TOO_LARGE else Reason.STRUCTURE
        reasons = dict.fromkeys(indexes, reason)
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
