"""What people did and were told: one list of operations a person, and what must be true after it."""

from __future__ import annotations

import dataclasses
import enum
import uuid
from typing import Generic, TypeVar

T = TypeVar("T")


class Outcome(enum.Enum):
    """What the client knows of an operation."""

    DONE = "done"
    REFUSED = "refused"
    # No answer, or one that it failed on the way: it may or may not have happened.
    UNKNOWN = "unknown"


@dataclasses.dataclass(slots=True)
class Operation:
    """One write: the action that it is on the record, its tries by request id, and how it ended."""

    action: str
    path: str
    tries: list[str] = dataclasses.field(default_factory=list)
    outcome: Outcome = Outcome.UNKNOWN
    status: int = 0
    # Whether it may have changed nothing, since it wasn't known what an earlier one had changed.
    idle: bool = False

    def next_try(self) -> str:
        """The request id of one more try."""
        self.tries.append(uuid.uuid4().hex)
        return self.tries[-1]


@dataclasses.dataclass(slots=True)
class Values(Generic[T]):
    """What a property may be: one value where the last write was answered, else several."""

    possible: list[T]

    def wrote(self, value: T, outcome: Outcome) -> None:
        """Take note of one write of `value`."""
        if outcome is Outcome.DONE:
            self.possible = [value]
        elif outcome is Outcome.UNKNOWN:
            self.possible.append(value)

    @property
    def certain(self) -> bool:
        """Whether there is but one."""
        return len(self.possible) == 1


@dataclasses.dataclass(slots=True)
class Texts:
    """Marks that were written somewhere, by what the client was told."""

    told: dict[str, Outcome] = dataclasses.field(default_factory=dict)

    def of(self, outcome: Outcome) -> list[str]:
        """Those of one outcome."""
        return [mark for mark, told in self.told.items() if told is outcome]


@dataclasses.dataclass(slots=True)
class Page:
    """One document as its writers know it."""

    uid: str
    title: Values[str]
    parent: Values[str | None]
    granted: Values[bool]
    grant: str = ""
    revision: int = 1
    lines: Texts = dataclasses.field(default_factory=Texts)
    comments: Texts = dataclasses.field(default_factory=Texts)
