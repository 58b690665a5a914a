"""`search/` by each of its ways to the candidates, of which the planner's costs choose one."""

from __future__ import annotations

import dataclasses
from typing import Any
from unittest import mock

import pytest

from documents.models import Document, ScopeCount
from documents.search import finding, planning, plans
from tests.documents.api.test_search import search, titles
from tests.documents.world import World


@pytest.mark.parametrize("way", ["matched", "both", "visible", "newest"])
def test_search_by_every_way_finds_the_same(world: World, way: str) -> None:
    """The ways to candidates differ in cost alone: rights, filters, any-word hits and order are the same."""
    top = world.document("Top", content="canary and mutex")
    world.document("Below", parent=top, content="canary")
    draft = world.document("Draft", content="canary mutex", state="draft")
    world.document("Beside", content="canary canary")
    reader = world.client_for()
    world.grant(top, reader, "viewer")
    with mock.patch.object(plans, "way_to", return_value=way):
        assert titles(world.owner, "canary mutex")[:2] == ["Draft", "Top"]
        assert set(titles(world.owner, "canary mutex")) == {"Draft", "Top", "Below", "Beside"}
        assert set(titles(world.owner, "canary", subtree=top)) == {"Top", "Below"}
        assert titles(world.owner, "canary", sort="updated") == ["Beside", "Draft", "Below", "Top"]
        assert set(titles(reader, "canary")) == {"Top", "Below"}
        body = search(reader, "canary")
    assert draft
    assert (body["total"], body["total_relation"]) == (2, "gte" if way == "newest" else "eq")


@pytest.mark.parametrize("sifted", [False, True])
@pytest.mark.parametrize("way", ["matched", "both", "visible", "newest"])
def test_search_for_a_phrase_by_every_way(world: World, way: str, sifted: bool) -> None:
    """The words in that order and side by side, whether or not they are looked for one by one before."""
    top = world.document("Top", content="a tidal almanac of old")
    world.document("Below", parent=top, content="the almanac is tidal, no tidal almanac")
    world.document("Apart", content="almanac, not tidal; tidal and almanac")
    world.document("Draft", content="tidal almanac", state="draft")
    reader = world.client_for()
    world.grant(top, reader, "viewer")
    with (
        mock.patch.object(plans, "way_to", return_value=way),
        mock.patch.object(plans, "sifts", return_value=sifted),
    ):
        for sort in ("relevance", "updated"):
            assert set(titles(world.owner, '"tidal almanac"', sort=sort)) == {"Top", "Below", "Draft"}
            assert set(titles(reader, '"tidal almanac"', sort=sort)) == {"Top", "Below"}
        assert titles(world.owner, '"tidal almanac" old')[0] == "Top"
        assert titles(world.owner, 'tidal -"tidal almanac"') == ["Apart"]
        assert set(titles(world.owner, '"tidal almanac"', subtree=top)) == {"Top", "Below"}


@pytest.mark.parametrize("way", ["matched", "both"])
@pytest.mark.parametrize("kept", [False, True])
def test_search_ranks_alike_whether_or_not_vectors_are_kept(world: World, way: str, kept: bool) -> None:
    """Vectors come with what matches, or are looked up for what is left of it; the rule judges either."""
    reader = world.client_for()
    for title, content in (("One", "canary"), ("Two", "canary canary"), ("Canary", "bird"), ("None", "bird")):
        document = world.document(title, content=content)
        if title in ("One", "Canary"):
            world.grant(document, reader, "viewer")

    def planned(*given: Any) -> plans.Plan:
        return dataclasses.replace(plans.plan_of(*given), way=way, kept=kept)

    with mock.patch.object(planning, "plan_of", planned):
        assert titles(world.owner, "canary") == ["Canary", "Two", "One"]
        assert titles(reader, "canary") == ["Canary", "One"]


def test_search_narrowed_looks_so_far_back(world: World) -> None:
    """Of the newest, which are all that common words are looked for in, a filter is asked of so many."""
    world.document("Old", content="canary", tags=["x"])
    world.document("New", content="canary")
    with mock.patch.object(plans, "way_to", return_value="newest"):
        assert titles(world.owner, "canary", tag="x") == ["Old"]
        with mock.patch.object(finding, "WINDOW_NARROWED", 1):
            assert titles(world.owner, "canary", tag="x") == []
            assert set(titles(world.owner, "canary")) == {"Old", "New"}


def test_search_knows_about_how_much_a_reader_sees(world: World) -> None:
    """What stands below a document granted by itself counts, though no scope counts it."""
    top = world.document("Top")
    for number in range(4):
        world.document(f"canary {number}", parent=top)
    reader = world.client_for()
    world.grant(top, reader, "viewer")
    with mock.patch.object(plans, "way_to", return_value="matched") as chosen:
        titles(reader, "canary")
    assert chosen.call_args.args[1:3] == (5, 1)


def test_search_by_a_reader_of_much_still_judges_each_hit(world: World) -> None:
    """The numbers that choose a way never decide what is seen."""
    world.document("Page", content="canary")
    ScopeCount.objects.create(scope_id=-Document.objects.get().workspace_id, n=10_000_000)
    assert titles(world.owner, "canary") == ["Page"]
    assert titles(world.client_for(), "canary") == []
