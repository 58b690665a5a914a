"""Corrections of mistyped words: what a search offers instead, and to whom."""

from __future__ import annotations

import pytest

from tests.documents.api.test_search import count_words, search
from tests.documents.world import World


def test_search_offers_a_correction_that_has_a_visible_hit(world: World) -> None:
    """A mistyped word is mended as it stands in a document that this reader sees."""
    world.document("Rules", content="Ownership and borrowing are rules.")
    count_words()
    assert search(world.owner, "onwership")["suggestion"] == "ownership"
    assert search(world.owner, "onwership rules -trait")["suggestion"] == "ownership rules -trait"
    assert search(world.owner, "borowing")["suggestion"] == "borrowing"


@pytest.mark.parametrize("query", ["onwership", "quikc", "custrad"])
def test_search_mends_words_that_were_written_just_now(world: World, query: str) -> None:
    """Not only those that the last count saw; two letters that changed places cost a word least."""
    world.document("Old", content="Quiet custom owners.")
    count_words()
    world.document("New", content="Ownership of quick custard.")
    assert search(world.owner, query)["suggestion"] in {"ownership", "quick", "custard"}
    assert search(world.client_for(), query)["suggestion"] is None


@pytest.mark.parametrize("query", ["ownership", "rlue", "zzzzzzzz"])
def test_search_offers_no_correction_without_need(world: World, query: str) -> None:
    """Not where the word is found, not for words of four letters, not where nothing is like it."""
    world.document("Rule", content="ownership rule")
    count_words()
    assert search(world.owner, query)["suggestion"] is None
