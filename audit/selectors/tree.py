"""Reading the Merkle tree: roots of ranges and the proofs that are made of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection

from audit.exceptions import NotSealed
from audit.leaves import LEAF_SQL
from audit.merkle import (
    Edge,
    Subtree,
    consistency_ranges,
    edge_of,
    folded,
    inclusion_ranges,
    joined,
    pieces,
)
from audit.models import EventLeaf, Seal
from cloudscribe.lib.errors import NotFound

_EVENT_SQL = f"SELECT {LEAF_SQL} FROM audit_event e WHERE e.sequence = %s"  # noqa: S608 (our own fragment)
_LEAVES_SQL = "SELECT leaf, hash FROM audit_eventleaf WHERE leaf = ANY(%s)"
_NODES_SQL = "SELECT position, hash FROM audit_treenode WHERE level = %s AND position = ANY(%s)"

Range = tuple[int, int]


class TreeDamaged(Exception):
    """The tables of the tree lack a hash that they should hold."""


def seal_newest() -> Seal | None:
    """The newest seal, None before the first."""
    return Seal.objects.order_by("-tree_size").first()


def event_row(sequence: int) -> tuple[Any, ...]:
    """What is sealed of an event, for `leaf_data`; raises NotFound for none."""
    with connection.cursor() as cursor:
        cursor.execute(_EVENT_SQL, [sequence])
        row: tuple[Any, ...] | None = cursor.fetchone()
    if row is None:
        raise NotFound
    return row


def leaf_of(sequence: int) -> EventLeaf:
    """The leaf of an event; raises NotSealed for one that has none yet."""
    leaf = EventLeaf.objects.filter(sequence=sequence).first()
    if leaf is None:
        raise NotSealed(headers={"Retry-After": "2"})
    return leaf


def edge_at(size: int) -> Edge:
    """The tree of the first `size` leaves, to go on from."""
    subtrees = edge_of(size)
    hashes = _subtree_hashes(subtrees)
    return Edge(size, [hashes[subtree] for subtree in subtrees])


def inclusion_proof(leaf: int, size: int) -> list[bytes]:
    """The hashes that prove that a leaf stands in the tree of that size."""
    return range_roots(inclusion_ranges(leaf, size))


def consistency_proof(old: int, new: int) -> list[bytes]:
    """The hashes that prove that the tree of `new` leaves goes on from that of `old`."""
    return range_roots(consistency_ranges(old, new))


def range_roots(ranges: Sequence[Range]) -> list[bytes]:
    """The root of each range of leaves, in one statement for each stored level."""
    parts = [pieces(*found) for found in ranges]
    hashes = _subtree_hashes(subtree for part in parts for subtree in part)
    return [joined([hashes[subtree] for subtree in part]) for part in parts]


def _subtree_hashes(subtrees: Iterable[Subtree]) -> dict[Subtree, bytes]:
    """Raises TreeDamaged where a row is missing."""
    wanted = {subtree: subtree.children() for subtree in subtrees}
    needed: dict[int, set[int]] = defaultdict(set)
    for level, positions in wanted.values():
        needed[level].update(positions)
    stored = {level: _stored(level, sorted(positions)) for level, positions in needed.items()}
    try:
        return {
            subtree: folded([stored[level][position] for position in positions])
            for subtree, (level, positions) in wanted.items()
        }
    except KeyError as error:
        raise TreeDamaged from error


def _stored(level: int, positions: list[int]) -> dict[int, bytes]:
    with connection.cursor() as cursor:
        if level:
            cursor.execute(_NODES_SQL, [level, positions])
        else:
            cursor.execute(_LEAVES_SQL, [positions])
        return {position: bytes(found) for position, found in cursor.fetchall()}
