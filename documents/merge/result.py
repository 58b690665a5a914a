"""What a merge gives: one value, or the places where a person has to choose."""

from __future__ import annotations

import dataclasses
import enum
from typing import Any


class Reason(enum.StrEnum):
    """Why the two sides can't both have their way."""

    MOVED = "moved"
    OVERLAP = "overlap"
    STRUCTURE = "structure"
    TOO_LARGE = "too_large"


@dataclasses.dataclass(frozen=True, slots=True)
class Conflict:
    """One place that both sides changed, with what stands there in each of the three texts.

    `line` (from 1) and `lines` say where `current` stands in the current text, `merged_line` where it stands
    in the partial text of the result: put a choice in the place of those lines there, their ends included,
    and the text is resolved. They are None for fields without lines.
    """

    field: str
    reason: Reason
    base: Any
    yours: Any
    current: Any
    line: int | None = None
    lines: int | None = None
    merged_line: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The conflict as answers show it."""
        return dataclasses.asdict(self)


@dataclasses.dataclass(frozen=True, slots=True)
class MergeResult:
    """A merged text. `partial` holds all that could be merged, the current side at each conflict."""

    partial: str
    conflicts: tuple[Conflict, ...] = ()

    @property
    def text(self) -> str | None:
        """The result of a clean merge, None where a person has to choose."""
        return None if self.conflicts else self.partial
