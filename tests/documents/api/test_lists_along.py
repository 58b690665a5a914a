"""The first page of a list is asked for together with who asks, where that was asked before."""

from __future__ import annotations

import pytest
from django.db.models.functions import Now

from accounts.models import Session
from tests.documents.world import World, statements, uid_of

pytestmark = pytest.mark.django_db


def test_list_asks_who_it_is_and_for_the_page_at_once(world: World, pieces: list[int]) -> None:
    """From the second time on one way to the server and back, and the rows are those of now."""
    world.document("First")
    assert world.titles(world.owner) == ["First"]
    pieces.clear()
    assert world.titles(world.owner) == ["First"]
    assert pieces == [2]
    world.document("Second")
    pieces.clear()
    assert world.titles(world.owner) == ["Second", "First"]
    assert pieces == [2]
    with statements(2):
        world.titles(world.owner)


def test_list_shows_no_more_than_the_rights_of_now(world: World, pieces: list[int]) -> None:
    """What came along was asked with the rights of before: it is thrown away."""
    document, person = world.document("Shared"), world.client_for()
    grant = world.grant(document, person, "viewer")
    assert world.titles(person) == world.titles(person) == ["Shared"]
    World.ok(world.owner.delete(f"documents/{document}/grants/{grant['id']}/"), 204)
    pieces.clear()
    assert world.titles(person) == []
    assert pieces == [2]
    world.grant(document, person, "viewer")
    assert world.titles(person) == ["Shared"]


def test_list_is_everybodys_own(world: World) -> None:
    """The same words by another credential are another question."""
    world.document("Mine")
    assert world.titles(world.owner) == ["Mine"]
    assert world.titles(world.client_for()) == []


def test_list_by_whose_session_has_ended_is_refused_with_the_rows_at_hand(
    world: World, pieces: list[int]
) -> None:
    """And they are not the next reader's."""
    world.document("Mine")
    world.titles(world.owner)
    Session.objects.filter(user__uid=uid_of(world.owner)).update(revoked_at=Now(), revoked_reason="test")
    outsider = world.client_for()
    pieces.clear()
    assert world.owner.get("documents/").status_code == 401
    assert pieces == [2]
    assert world.titles(outsider) == []


def test_list_that_is_refused_again_and_again_costs_one_page(world: World, pieces: list[int]) -> None:
    """Nothing is sent along for whoever was refused, until they have been given a page."""
    world.document("Mine")
    world.titles(world.owner)
    of_owner = Session.objects.filter(user__uid=uid_of(world.owner))
    of_owner.update(revoked_at=Now(), revoked_reason="test")
    pieces.clear()
    assert [world.owner.get("documents/").status_code for _ in range(3)] == [401] * 3
    assert pieces == [2]
    of_owner.update(revoked_at=None, revoked_reason="")
    assert [world.titles(world.owner) for _ in range(2)] == [["Mine"]] * 2
    assert pieces == [2, 2]


def test_list_in_other_words_is_asked_by_itself(world: World, pieces: list[int]) -> None:
    """Another size or a further page; the first one stands as it was."""
    for title in ("First", "Second"):
        world.document(title)
    page = World.ok(world.owner.get("documents/?page_size=1"))
    pieces.clear()
    further = World.ok(world.owner.get(page["next"]))
    assert [row["title"] for row in further["results"]] == ["First"]
    assert world.titles(world.owner, "?page_size=2") == ["Second", "First"]
    assert pieces == []
