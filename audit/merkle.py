"""The Merkle tree of RFC 9162 section 2.1: hashes, the subtrees that proofs are made of, and their check.

Pure: no Django, no database. A subtree is the range `[start, end)` of leaves; a complete one has 2^height of
them and starts at a multiple of that. Stored are leaves and the roots of complete subtrees of 256, 65,536, …
leaves: whatever lies between is folded from at most 128 of those.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

# Levels between two that are stored.
STRIDE = 8
EMPTY_ROOT = hashlib.sha256(b"").digest()


class Subtree(NamedTuple):
    """The complete subtree of `2 ** height` leaves that is the `position`-th of its height."""

    height: int
    position: int


class Grown(NamedTuple):
    """The root of a complete subtree that an append finished, of a level that is stored."""

    level: int
    position: int
    hash: bytes


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf's data."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\x01" + left + right).digest()


class Edge:
    """A tree that grows on the right: of what stands there it needs one hash for each bit of its size."""

    def __init__(self, size: int = 0, hashes: Sequence[bytes] = ()) -> None:
        """Go on from `size` leaves; `hashes` are the roots of `pieces(0, size)`."""
        if len(hashes) != size.bit_count():
            raise ValueError("an edge has a hash for each bit of its size")
        self.size = size
        self._hashes = list(hashes)

    def append(self, leaf: bytes) -> Iterator[Grown]:
        """Take in a leaf's hash; gives the subtrees that are complete now and are stored."""
        at, height, found = self.size, 0, leaf
        while at & 1:
            found = node_hash(self._hashes.pop(), found)
            at, height = at >> 1, height + 1
            if height % STRIDE == 0:
                yield Grown(height // STRIDE, at, found)
        self._hashes.append(found)
        self.size += 1

    def root(self) -> bytes:
        """The root of the whole tree."""
        return joined(self._hashes)


def joined(hashes: Sequence[bytes]) -> bytes:
    """The root over the complete subtrees that a range falls into, from left to right."""
    if not hashes:
        return EMPTY_ROOT
    found = hashes[-1]
    for left in reversed(hashes[:-1]):
        found = node_hash(left, found)
    return found


def pieces(start: int, end: int) -> list[Subtree]:
    """The complete subtrees that the range falls into, from left to right; `start` as proofs have it."""
    found = []
    while start < end:
        height = (end - start).bit_length() - 1
        found.append(Subtree(height, start >> height))
        start += 1 << height
    return found


def inclusion_ranges(index: int, size: int) -> list[tuple[int, int]]:
    """The ranges whose roots prove that leaf `index` stands in the tree of that size (section 2.1.3.1).

    Raises ValueError where there is no such leaf.
    """
    if not 0 <= index < size:
        raise ValueError("no such leaf in a tree of that size")
    found: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start = middle
    return found[::-1]


def consistency_ranges(old: int, new: int) -> list[tuple[int, int]]:
    """The ranges whose roots prove that the tree of `old` leaves begins that of `new` (section 2.1.4.1).

    Raises ValueError unless 0 < old <= new.
    """
    if not 0 < old <= new:
        raise ValueError("the first size lies between 1 and the second")
    found: list[tuple[int, int]] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            found.append((middle, end))
            end = middle
        else:
            found.append((start, middle))
            start, whole = middle, False
    if not whole:
        found.append((start, end))
    return found[::-1]


def root_by_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes]) -> bytes | None:
    """The root that an inclusion proof leads to (section 2.1.3.2); None for one of another length."""
    ranges = inclusion_ranges(index, size)
    if len(ranges) != len(proof):
        return None
    found = leaf
    for (start, _), sibling in zip(ranges, proof, strict=True):
        found = node_hash(sibling, found) if start < index else node_hash(found, sibling)
    return found


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether a consistency proof shows that the new tree goes on from the old (section 2.1.4.2)."""
    ranges = consistency_ranges(old, new)
    if len(ranges) != len(proof):
        return False
    if old == new:
        return old_root == new_root
    hashes = dict(zip(ranges, proof, strict=True))
    # What the old tree falls into on the way down; where it is one whole subtree its root is that one's.
    parts = [hashes[span] for span in sorted(hashes) if span[1] <= old] or [old_root]
    return joined(parts) == old_root and _rebuilt(old, new, hashes, old_root) == new_root


def _rebuilt(old: int, new: int, hashes: dict[tuple[int, int], bytes], old_root: bytes) -> bytes:
    """The root of the new tree, from the ranges of a proof; the old root stands for a whole old tree."""

    def root(start: int, end: int) -> bytes:
        if (start, end) in hashes:
            return hashes[start, end]
        if (start, end) == (0, old):
            return old_root
        middle = start + _split(end - start)
        return node_hash(root(start, middle), root(middle, end))

    return root(0, new)


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << ((size - 1).bit_length() - 1)
