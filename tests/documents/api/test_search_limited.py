"""`search/` by a token that is cut to a subtree whose top its person sees no longer."""

from __future__ import annotations

from unittest import mock

import pytest

from documents.models import Document
from documents.search import plans
from tests.accounts.factories import token_make
from tests.documents.world import World
from tests.fixtures import ApiClient, client_make

PAGES = {"Page 0", "Page 1", "Page 2"}


@pytest.fixture(scope="module")
def made(for_all_tests: None) -> tuple[World, ApiClient]:
    """A workspace, and such a token of somebody to whom each of three pages below is granted by itself."""
    world = World(client_make)
    top = world.document("Top", content="canary")
    reader = world.client_for()
    grant = world.grant(top, reader, "viewer")["id"]
    for title in PAGES:
        world.grant(world.document(title, parent=top, content="canary"), reader, "viewer")
    page = Document.objects.get(uid=top)
    assert reader.user is not None
    token = ApiClient(token_make(reader.user, document_pk=page.pk, document_uid=page.uid))
    World.ok(world.owner.delete(f"documents/{top}/grants/{grant}/"), 204)
    return world, token


@pytest.mark.usefixtures("as_made")
@pytest.mark.parametrize("way", ["matched", "both", "visible", "newest"])
def test_search_by_a_token_with_a_hidden_top_finds_what_lists_show(
    made: tuple[World, ApiClient], way: str
) -> None:
    """By every way, what is granted below by itself."""
    world, token = made
    assert set(world.titles(token)) == PAGES
    with mock.patch.object(plans, "way_to", return_value=way):
        hits = World.ok(token.get("search/?q=canary"))["results"]
    assert {hit["document"]["title"] for hit in hits} == PAGES
