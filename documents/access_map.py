"""What somebody was granted, as one small map, and what is worked out of it once: most grants never end."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import NamedTuple

from cloudscribe.lib.postgresql.arrays import array_text

Entries = dict[int, list[tuple[int, float | None]]]


class Targets(NamedTuple):
    """Where somebody may do something: workspaces (negated) and documents, and both as texts of arrays.

    In ascending order, which `documents.visibility` counts on.
    """

    scopes: list[int]
    roots: list[int]
    scopes_text: str
    roots_text: str


def targets_of(rights: Mapping[int, int], bit: int) -> Targets:
    """The targets on which `rights` hold `bit`."""
    held = sorted(target for target, bits in rights.items() if bits & bit)
    scopes, roots = [target for target in held if target < 0], [target for target in held if target > 0]
    return Targets(scopes, roots, array_text(scopes), array_text(roots))


class AccessMap:
    """What a person was granted, by target: a document's id or a workspace's negated id. Never changed."""

    def __init__(self, entries: Entries) -> None:
        """Entries are action bits and when they run out (seconds since the epoch), None for never."""
        self.entries = entries
        self._targets: dict[int, Targets] = {}

    def alive(self, now: float) -> Mapping[int, int]:
        """Action bits by target, of what has not run out at `now` (seconds since the epoch)."""
        return self._bits(now) if self._lasting is None else self._lasting

    def targets(self, now: float, bit: int) -> Targets:
        """The targets on which `bit` is alive at `now`."""
        if self._lasting is None:
            return targets_of(self.alive(now), bit)
        found = self._targets.get(bit)
        if found is None:
            # Two threads at once work out the same.
            found = self._targets[bit] = targets_of(self._lasting, bit)
        return found

    @functools.cached_property
    def _lasting(self) -> Mapping[int, int] | None:
        """The bits at any moment, where nothing runs out: to go through 800 grants takes 0.5 ms."""
        if any(expires is not None for grants in self.entries.values() for _, expires in grants):
            return None
        return self._bits(0)

    def _bits(self, now: float) -> dict[int, int]:
        alive: dict[int, int] = {}
        for target, grants in self.entries.items():
            bits = 0
            for actions, expires in grants:
                if expires is None or expires > now:
                    bits |= actions
            if bits:
                alive[target] = bits
        return alive


EMPTY = AccessMap({})
