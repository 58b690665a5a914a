"""The merge of a document's fields: scalars one by one, tags as a set, the body by lines."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from documents.merge.lines import merge_texts
from documents.merge.result import Conflict, MergeResult, Reason

BODY = "content"
TAGS = "tags"


@dataclasses.dataclass(frozen=True, slots=True)
class FieldsMerge:
    """All fields after the merge; where `conflicts` names one, it has the current value or partial text."""

    values: dict[str, Any]
    conflicts: tuple[Conflict, ...]

    @property
    def is_clean(self) -> bool:
        """Whether no person has to choose."""
        return not self.conflicts


def merge_fields(
    base: Mapping[str, Any],
    yours: Mapping[str, Any],
    current: Mapping[str, Any],
    *,
    max_tags: int,
    max_bytes: int,
) -> FieldsMerge:
    """Merge field by field. All three name the same fields; what wasn't sent stands in `yours` as in `base`.

    What both sides added may together be too much: more than `max_tags`, or a body of more than `max_bytes`
    (UTF-8), is a conflict.
    """
    values: dict[str, Any] = {}
    conflicts: list[Conflict] = []
    for field, now in current.items():
        before, wanted = base[field], yours[field]
        if field == BODY:
            result = _merged_body(before, wanted, now, max_bytes)
            values[field] = result.partial
            conflicts.extend(result.conflicts)
        elif field == TAGS:
            values[field] = merge_tags(before, wanted, now)
            if len(values[field]) > max_tags:
                values[field] = list(now)
                conflicts.append(Conflict(field, Reason.TOO_LARGE, before, wanted, now))
        elif wanted in (before, now) or now == before:
            values[field] = now if wanted in (before, now) else wanted
        else:
            values[field] = now
            conflicts.append(Conflict(field, Reason.OVERLAP, before, wanted, now))
    return FieldsMerge(values, tuple(conflicts))


def _merged_body(base: str, yours: str, current: str, max_bytes: int) -> MergeResult:
    result = merge_texts(base, yours, current, field=BODY)
    if result.conflicts or len(result.partial.encode()) <= max_bytes:
        return result
    lines = current.count("\n") + (not current.endswith("\n"))
    whole = Conflict(BODY, Reason.TOO_LARGE, base, yours, current, line=1, lines=lines, merged_line=1)
    return MergeResult(current, (whole,))


def merge_tags(base: Sequence[str], yours: Sequence[str], current: Sequence[str]) -> list[str]:
    """The current tags with what `yours` added to the base and without what it took away."""
    if list(yours) == list(base):
        return list(current)
    if list(current) == list(base):
        return list(yours)
    removed = set(base) - set(yours)
    kept = [tag for tag in current if tag not in removed]
    return kept + [tag for tag in yours if tag not in set(base) and tag not in set(kept)]
