"""The check that two sides' changes of one hunk don't tear each other's inline markup.

One side may put emphasis or a link around the words in which the other changes one. But where both set signs
that come in pairs, what opens on one side could close on the other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

# What a change took out and what it put in.
Swap = tuple[Sequence[str], Sequence[str]]

_OPENS = {"(": "(", "[": "[", "{": "{", "“": "“", "«": "«"}
_CLOSES = {")": "(", "]": "[", "}": "{", "”": "“", "»": "«"}
# Signs whose second closes what the first opened.
_TOGGLES = frozenset('*~`=|"$')


def are_entangled(yours: Sequence[Swap], current: Sequence[Swap]) -> bool:
    """Whether a change of one side leaves a pair half open, of a sign that the other side changed, too."""
    return bool(_half_open(yours) & _touched(current) or _half_open(current) & _touched(yours))


def _half_open(swaps: Iterable[Swap]) -> set[str]:
    return {sign for old, new in swaps for sign, odd in _balance(old, new).items() if odd}


def _balance(old: Sequence[str], new: Sequence[str]) -> dict[str, int]:
    balance: Counter[str] = Counter()
    for tokens, step in ((old, -1), (new, 1)):
        for token in tokens:
            for sign, way in _signs(token):
                balance[sign] += step * way
    return {sign: count % 2 if sign in _TOGGLES or sign == "_" else count for sign, count in balance.items()}


def _touched(swaps: Iterable[Swap]) -> set[str]:
    return {sign for old, new in swaps for token in (*old, *new) for sign, _ in _signs(token)}


def _signs(token: str) -> Iterator[tuple[str, int]]:
    """The signs that a token opens (1) or closes (-1); those that toggle count as opened."""
    first = token[0]
    if first in _TOGGLES:
        if len(token) == 1 or not token.strip(first):
            yield first, 1
    elif token in _OPENS:
        yield _OPENS[token], 1
    elif first in _CLOSES:
        # Also the whole of `](address)` and `][label]`.
        yield _CLOSES[first], -1
    else:
        if first == "_":
            yield "_", 1
        if len(token) > 1 and token[-1] == "_":
            yield "_", 1
