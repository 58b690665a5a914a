"""Which old bodies go and what those that stay are packed against. Pure: works on numbers alone."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence


@dataclasses.dataclass(frozen=True, slots=True)
class Stored:
    """A payload: its revision, the newer one that it is packed against, and whether it has to stay."""

    number: int
    base: int | None
    is_kept: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What to remove, and by revision against which to pack anew; None stands alone.

    `is_whole` says that nothing is left to remove after it.
    """

    removed: Sequence[int]
    repacked: Mapping[int, int | None]
    is_whole: bool


def plan_of(stored: Sequence[Stored], head: int, *, most: int, most_repacked: int) -> Plan:
    """The next piece of work on a document's payloads, given oldest first, from the oldest on.

    No way to a body becomes longer than it was, so all stay within the bound that writes keep.
    """
    removed: list[int] = []
    broken: list[int] = []
    is_whole, older = True, None
    for row in stored:
        breaks = older is not None and older.is_kept and older.base == row.number
        if not row.is_kept:
            if len(removed) == most or (breaks and len(broken) == most_repacked):
                is_whole = False
                break
            removed.append(row.number)
            if breaks and older is not None:
                broken.append(older.number)
        older = row
    return Plan(removed, _bases(stored, head, set(removed), broken), is_whole)


def _bases(
    stored: Sequence[Stored], head: int, removed: set[int], broken: Sequence[int]
) -> dict[int, int | None]:
    steps: dict[int, int] = {head: 0}
    newer, nearest = head, {}
    for row in reversed(stored):
        steps[row.number] = 1 if row.base is None else steps[row.base] + 1
        if row.number not in removed:
            nearest[row.number] = newer
            newer = row.number
    bases: dict[int, int | None] = {}
    for number in reversed(broken):
        base = nearest[number]
        fits = steps[base] < steps[number]
        bases[number] = base if fits else None
        steps[number] = steps[base] + 1 if fits else 1
    return bases
