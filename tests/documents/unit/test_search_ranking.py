"""The order of what a search found, and its facets, without a database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from documents.search.arrays import text_array
from documents.search.ranking import (
    FACET_VALUES,
    Weighing,
    by_relevance,
    by_update,
    counts_of,
    key_of,
    key_text,
    page_of,
)

WEIGHING = {"cs_english": Weighing(100.0, [(2.0, 0), (1.0, 1)])}


def row(
    pk: int, *weights: float | None, tier: int = 1, length: int = 100, tags: Sequence[str] = ()
) -> list[Any]:
    """A document found in workspace 1, by author 2, with the weights of its words."""
    return [pk, tier, 1, 2, "published", "en", list(tags), "cs_english", length, *weights]


def order(*rows: list[Any], clauses: int = 2) -> list[int]:
    """The documents, best first."""
    return [pk for _, pk in page_of(by_relevance(rows, WEIGHING, clauses), 10, None, reverse=False)]


def test_relevance_puts_all_words_and_titles_first() -> None:
    """Any word comes after all of them, whatever the number; the whole title before what is left."""
    assert order(
        row(1, 0.009, 0.009, tier=0), row(2, 0.0001, 0.0001), row(3, 1.0, 0.009), row(4, 1.0, 1.0)
    ) == [4, 3, 2, 1]


def test_relevance_prefers_the_rarer_the_more_frequent_and_the_shorter() -> None:
    """BM25: by the weight of the word, by how often it stands there, by the length of the text."""
    assert order(row(1, 0, 0.0001), row(2, 0.0001, 0)) == [2, 1]
    assert order(row(1, 0.0001, 0), row(2, 0.0003, 0)) == [2, 1]
    assert order(row(1, 0.0001, 0, length=900), row(2, 0.0001, 0, length=50)) == [2, 1]


def test_relevance_knows_words_that_one_configuration_lacks() -> None:
    """Where another configuration weighs more words the rest of a row is empty."""
    ((key, pk),) = by_relevance([row(1, 0.0001, 0.0001, None)], WEIGHING, 2)
    assert (key > 10_000, pk) == (True, 1)


def test_pages_go_on_where_the_last_one_ended() -> None:
    """Equal keys are parted by the document; backwards the nearest come first."""
    ranked = list(by_update([[pk, 1, 1, 2, "published", "en", [], 7] for pk in range(1, 6)]))
    first = page_of(ranked, 2, None, reverse=False)
    assert [pk for _, pk in first] == [5, 4]
    assert [pk for _, pk in page_of(ranked, 2, first[-1], reverse=False)] == [3, 2]
    assert [pk for _, pk in page_of(ranked, 2, ranked[0], reverse=True)] == [2, 3]


@pytest.mark.parametrize(("key", "whole"), [(10003.1881, False), (0.5, False), (101764000000000000, True)])
def test_key_is_read_as_it_was_written(key: float, whole: bool) -> None:
    """A cursor points at the very row that it was made of."""
    assert key_of(key_text(key), whole=whole) == key


def test_facets_count_the_most_frequent() -> None:
    """Tags one by one, no author where there is none any more, no more values than are shown."""
    rows = [row(1, tags=("a", "b")), row(2, tags=("b",)), row(3)]
    rows[2][3] = None
    counts = counts_of(rows)
    assert counts["tag"] == [("b", 2), ("a", 1)]
    assert counts["author"] == [(2, 2)]
    assert counts["language"] == [("en", 3)]
    many = counts_of([row(pk, tags=(str(pk),)) for pk in range(FACET_VALUES + 5)])
    assert len(many["tag"]) == FACET_VALUES
    assert counts_of([])["tag"] == []


def test_texts_become_an_array_of_postgresql() -> None:
    """The text form, as the server reads it."""
    assert text_array(["a", 'b"c\\', None, True, 1.5, "NULL", ""]) == (
        '{"a","b\\"c\\\\",NULL,"True","1.5","NULL",""}'
    )
