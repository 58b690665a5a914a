"""Reading the Merkle tree: roots of ranges and the proofs that are made of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cachetools import LRUCache
from django.db import connection

from audit.exceptions import NotSealed
from audit.leaves import LEAF_SQL
from audit.merkle import (
    STRIDE,
    Edge,
    Subtree,
    consistency_ranges,
    inclusion_ranges,
    joined,
    node_hash,
    pieces,
)
from audit.models import EventLeaf, Seal
from audit.selectors.archives import archive_of
from cloudscribe.lib.errors import NotFound

_EVENTS_SQL = f"SELECT {LEAF_SQL} FROM audit_event e WHERE e.sequence = ANY(%s)"  # noqa: S608 (our own fragment)
_LEAVES_SQL = "SELECT leaf, hash FROM audit_eventleaf WHERE leaf BETWEEN %s AND %s"
_NODES_SQL = "SELECT position, hash FROM audit_treenode WHERE level = %s AND position BETWEEN %s AND %s"

_MOST_BLOCKS = 64
_MOST_FOLDED = 65_536

Range = tuple[int, int]


class TreeDamaged(Exception):
    """The tables of the tree lack a hash that they should hold."""


def seal_newest() -> Seal | None:
    """The newest seal, None before the first."""
    return Seal.objects.order_by("-tree_size").first()


def event_rows(sequences: Sequence[int]) -> dict[int, tuple[Any, ...]]:
    """What is sealed of events, by number, for `leaf_data`; those that are none are left out."""
    with connection.cursor() as cursor:
        cursor.execute(_EVENTS_SQL, [list(sequences)])
        return {row[0]: row for row in cursor.fetchall()}


def leaf_of(sequence: int) -> tuple[EventLeaf, tuple[Any, ...] | None]:
    """The leaf of an event and what was sealed, for `leaf_data`, which is None where that was archived.

    Raises NotSealed for an event that has no leaf yet, NotFound for none.
    """
    row = event_rows([sequence]).get(sequence)
    leaf = EventLeaf.objects.filter(sequence=sequence).first()
    if row is None and (leaf is None or archive_of(sequence) is None):
        raise NotFound
    if leaf is None:
        raise NotSealed(headers={"Retry-After": "2"})
    return leaf, row


class Tree:
    """The stored tree, read in blocks of 256 hashes that are kept for the next proof."""

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._blocks: LRUCache[tuple[int, int], dict[int, bytes]] = LRUCache(_MOST_BLOCKS)
        self._folded: LRUCache[Subtree, bytes] = LRUCache(_MOST_FOLDED)

    def inclusion_proof(self, leaf: int, size: int) -> list[bytes]:
        """The hashes that prove that a leaf stands in the tree of that size."""
        return self.range_roots(inclusion_ranges(leaf, size))

    def consistency_proof(self, old: int, new: int) -> list[bytes]:
        """The hashes that prove that the tree of `new` leaves goes on from that of `old`."""
        return self.range_roots(consistency_ranges(old, new))

    def range_roots(self, ranges: Sequence[Range]) -> list[bytes]:
        """The root of each range of leaves. Raises TreeDamaged where the tables lack a hash."""
        return [joined([self._subtree(part) for part in pieces(*found)]) for found in ranges]

    def root(self, size: int) -> bytes:
        """The root of the tree of the first `size` leaves."""
        return self.range_roots([(0, size)])[0]

    def edge(self, size: int) -> Edge:
        """The tree of the first `size` leaves, to go on from."""
        return Edge(size, [self._subtree(part) for part in pieces(0, size)])

    def _subtree(self, subtree: Subtree) -> bytes:
        level, rest = divmod(subtree.height, STRIDE)
        if rest == 0:
            return self._stored(level, subtree.position)
        found = self._folded.get(subtree)
        if found is None:
            left, right = (Subtree(subtree.height - 1, 2 * subtree.position + side) for side in (0, 1))
            found = self._folded[subtree] = node_hash(self._subtree(left), self._subtree(right))
        return found

    def _stored(self, level: int, position: int) -> bytes:
        key = (level, position >> STRIDE)
        block = self._blocks.get(key)
        if block is None or position not in block:
            block = self._blocks[key] = _block(*key)
        try:
            return block[position]
        except KeyError as error:
            raise TreeDamaged from error


def _block(level: int, number: int) -> dict[int, bytes]:
    first = number << STRIDE
    span = [first, first + (1 << STRIDE) - 1]
    with connection.cursor() as cursor:
        if level:
            cursor.execute(_NODES_SQL, [level, *span])
        else:
            cursor.execute(_LEAVES_SQL, span)
        return {position: bytes(found) for position, found in cursor.fetchall()}
