"""The order of what was found, and what is counted of it. Pure: without queries.

A row is `(key of the document, tier, workspace, author, state, language, tags, ...)`; for the relevance its
configuration, its length in words and one number for each word of the query follow, for the order of update
its moment.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

Row = Sequence[Any]
Key = float | int
Ranked = tuple[Key, int]

ID, TIER, WORKSPACE, AUTHOR, STATE, LANGUAGE, TAGS, CONFIG, LENGTH = range(9)
_TERMS, _MOMENT = 9, 7
FACET_VALUES = 20
_COUNTED = {"workspace": WORKSPACE, "author": AUTHOR, "state": STATE, "language": LANGUAGE}
FACETS = ("workspace", "tag", "author", "state", "language")


@dataclasses.dataclass(frozen=True, slots=True)
class Weighing:
    """How the words of a query weigh in one configuration: its usual length, and `(weight, clause)` each."""

    average_length: float
    terms: Sequence[tuple[float, int]]


def by_relevance(rows: Iterable[Row], weighing: Mapping[str, Weighing], clauses: int) -> Iterator[Ranked]:
    """`(key, document)` of each row by BM25 (Robertson and Zaragoza 2009) with k1 = 1.2, b = 0.75.

    The frequencies are weighted: the number of a word is the sum of the weights of its occurrences, 1 for
    each in the title and less than that for all others together. The tier of all words stands above that of
    any word, documents that have all `clauses` in their title in front of the others of their tier.
    """
    whole = 2**clauses - 1
    known = {config: _columns(one) for config, one in weighing.items()}
    for row in rows:
        slope, terms = known[row[CONFIG]]
        saturation = 0.3 + slope * row[LENGTH]
        score, titled = row[TIER] * 10_000.0, 0
        for column, weight, clause in terms:
            weights = row[column]
            n = 10_000 * weights
            if weights >= 1:
                titled |= clause
                n -= 9_995 * int(weights)
            score += weight * n / (n + saturation)
        yield round(score + 1_000 if titled == whole else score, 4), row[ID]


def _columns(weighing: Weighing) -> tuple[float, list[tuple[int, float, int]]]:
    """What is the same for all rows: the slope of the length, and of each word column, weight and clause."""
    terms = enumerate(weighing.terms, _TERMS)
    return 0.9 / weighing.average_length, [(n, 2.2 * weight, 1 << clause) for n, (weight, clause) in terms]


def by_update(rows: Iterable[Row]) -> Iterator[Ranked]:
    """`(key, document)` of each row, newest first in each tier; keys in microseconds."""
    return ((row[TIER] * 10**17 + row[_MOMENT], row[ID]) for row in rows)


def key_text(key: Key) -> str:
    """The key as cursors carry it."""
    return f"{key:.4f}" if isinstance(key, float) else str(key)


def key_of(text: str, *, whole: bool) -> Key:
    """The inverse of `key_text`; `whole` for keys that are integers."""
    return int(text.partition(".")[0]) if whole else float(text)


def page_of(ranked: Iterable[Ranked], limit: int, after: Ranked | None, *, reverse: bool) -> list[Ranked]:
    """The best `limit` below `after`; the worst above it, worst first, where `reverse`."""
    if after is not None:
        ranked = (entry for entry in ranked if (entry > after if reverse else entry < after))
    return heapq.nsmallest(limit, ranked) if reverse else heapq.nlargest(limit, ranked)


def counts_of(rows: Sequence[Row]) -> dict[str, list[tuple[Any, int]]]:
    """The most frequent values of each facet and how many rows have them."""
    counters = {name: Counter(map(itemgetter(column), rows)) for name, column in _COUNTED.items()}
    counters["tag"] = Counter(itertools.chain.from_iterable(map(itemgetter(TAGS), rows)))
    return {name: _most(counters[name]) for name in FACETS}


def _most(counter: Counter[Any]) -> list[tuple[Any, int]]:
    counter.pop(None, None)
    return heapq.nsmallest(FACET_VALUES, counter.items(), key=lambda item: (-item[1], item[0]))
