"""What restoring a moment means for a tree, worked out on keys alone. Pure: no query.

Three kinds of documents are concerned. What stood in the part that is restored goes back to where it stood.
What is below any of it now and stood elsewhere then goes back to there. What is below any of it now and
didn't stand at all came later.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterable, Mapping


@dataclasses.dataclass(frozen=True, slots=True)
class Node:
    """A document as it stands now."""

    pk: int
    parent: int | None
    path: str
    position: str
    trashed: bool


@dataclasses.dataclass(frozen=True, slots=True)
class Placed:
    """Where a document stood."""

    parent: int | None
    position: str


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, by keys.

    `moved` are those whose parent or position differ, `tops` those of all that go back whose parent of then
    isn't among them, `later` what goes to the trash, each with the topmost of its own above it.
    """

    placed: Mapping[int, Placed]
    moved: frozenset[int]
    tops: frozenset[int]
    later: Mapping[int, int]

    def top_of(self, pk: int) -> int:
        """The topmost of those above a document, by their places of then; itself where it is one."""
        while pk not in self.tops:
            parent = self.placed[pk].parent
            if parent is None:
                return pk
            pk = parent
        return pk

    def carried(self) -> set[int]:
        """Those that stand elsewhere than before, or below something that does."""
        found: dict[int, bool] = {}
        for start in self.placed:
            line: list[int] = []
            pk: int | None = start
            while pk is not None and pk in self.placed and pk not in found and pk not in self.moved:
                line.append(pk)
                pk = self.placed[pk].parent
            elsewhere = pk is not None and (pk in self.moved or found.get(pk, False))
            found.update(dict.fromkeys(line, elsewhere))
        return {*self.moved, *(pk for pk, elsewhere in found.items() if elsewhere)}

    def rewritten(self) -> list[int]:
        """The tops below which anything moves, in the order of their keys."""
        return sorted({self.top_of(pk) for pk in self.moved})


def plan_of(
    part: Collection[int], stood: Mapping[int, Placed], now: Mapping[int, Node], below: Iterable[Node]
) -> Plan:
    """The plan for `part`, the keys that stood in it and still exist in the workspace.

    `stood` has all that stood in the workspace, `now` a node for each of `part`, `below` what is live below
    any of those now, themselves included or not.
    """
    known, foreign, later = dict(now), set(), {}
    for node in below:
        known[node.pk] = node
        if node.pk in part:
            continue
        if node.pk in stood:
            foreign.add(node.pk)
        else:
            later[node.pk] = node
    placed = {pk: stood[pk] for pk in (*part, *foreign)}
    tops = frozenset(pk for pk, place in placed.items() if place.parent not in placed)
    moved = frozenset(
        pk
        for pk, place in placed.items()
        if (place.parent, place.position) != (known[pk].parent, known[pk].position)
    )
    return Plan(placed, moved, tops, _with_tops(later))


def topmost(nodes: Iterable[Node]) -> list[Node]:
    """Those that are below none of the others."""
    tops: list[Node] = []
    for node in sorted(nodes, key=lambda node: node.path):
        if not tops or not node.path.startswith(tops[-1].path):
            tops.append(node)
    return tops


def _with_tops(nodes: Mapping[int, Node]) -> dict[int, int]:
    """Each with the topmost one above it that is reached by none but these: what is trashed as one."""
    tops: dict[int, int] = {}
    for node in sorted(nodes.values(), key=lambda node: node.path):
        tops[node.pk] = tops.get(node.parent, node.pk) if node.parent is not None else node.pk
    return tops
