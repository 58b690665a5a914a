"""Which items of two sequences belong together, with bounded work whatever the texts are."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from patiencediff import PatienceSequenceMatcher

# The exact search scans what is left once per block it finds, and every pair of equal items in it: within
# these bounds the worst input found takes under a second.
_MAX_ITEMS = 4_000
_MAX_PAIRS = 60_000


T = TypeVar("T", str, bytes)

# Anchors on what is unique in both sides (Cohen's patience diff): n log n, and seldom mistaken.
PatientMatcher = PatienceSequenceMatcher


class ExactMatcher(difflib.SequenceMatcher[str]):
    """Longest common blocks first (Ratcliff and Obershelp), without difflib's guess at what is junk."""

    def __init__(self, isjunk: object, a: Sequence[str], b: Sequence[str]) -> None:
        del isjunk
        super().__init__(None, a, b, autojunk=False)


def shared_start(one: T, other: T) -> int:
    """How many letters or bytes both begin with, by bisection: comparing slices runs at memory's speed."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def is_cheap(a: Sequence[str], b: Sequence[str]) -> bool:
    """Whether the exact matcher ends soon on these two."""
    if max(len(a), len(b)) > _MAX_ITEMS:
        return False
    in_a, in_b = Counter(a), Counter(b)
    return sum(count * in_b[item] for item, count in in_a.items()) <= _MAX_PAIRS


def matching_blocks(a: Sequence[str], b: Sequence[str]) -> list[tuple[int, int, int]]:
    """`(start in a, start in b, length)` of what both share, in order, ended by an empty block."""
    matcher = ExactMatcher if is_cheap(a, b) else PatientMatcher
    return [(start, other, size) for start, other, size in matcher(None, a, b).get_matching_blocks()]
