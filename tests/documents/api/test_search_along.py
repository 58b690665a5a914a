"""What a search asks of its words goes along with the question who asks; how much they see is kept."""

from __future__ import annotations

from unittest import mock

import pytest

from documents.search import plans
from tests.documents.api.test_search import titles
from tests.documents.world import World, statements
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db


def test_search_asks_who_it_is_and_for_the_words_at_once(world: World, pieces: list[int]) -> None:
    """One way to the server and back less; a language has other words, a part of the tree its size."""
    top = world.document("Top", content="canary")
    titles(world.owner, "canary")
    pieces.clear()
    assert titles(world.owner, "canary") == ["Top"]
    assert pieces == [2]
    assert titles(world.owner, "canary", language="en") == ["Top"]
    assert titles(world.owner, "canary", subtree=top) == ["Top"]
    assert pieces == [2]


@pytest.mark.parametrize("typed", ["", "%00", "a%00", "-", "x" * 501])
def test_search_for_no_words_asks_for_none(world: World, pieces: list[int], typed: str) -> None:
    """What is refused, or finds nothing of itself, is not sent to the server."""
    assert world.owner.get(f"search/?q={typed}").status_code == (200 if typed == "-" else 400)
    assert pieces == []


def test_search_knows_for_a_while_about_how_much_a_reader_sees(world: World) -> None:
    """It is counted once, and anew when their rights have changed; what is found is that of now."""
    first, second = (world.document(title, content="canary") for title in ("First", "Second"))
    reader = world.client_for()
    world.grant(first, reader, "viewer")
    with mock.patch.object(plans, "way_to", return_value="both") as chosen:
        assert titles(reader, "canary") == ["First"]
        world.grant(second, reader, "viewer")
        assert set(titles(reader, "canary")) == {"First", "Second"}
        world.document("Below", content="canary", parent=first)
        with statements(4):
            assert set(titles(reader, "canary")) == {"First", "Second", "Below"}
    assert [call.args[1] for call in chosen.call_args_list] == [1, 2, 2]


def test_search_not_signed_in_asks_nothing(world: World, anonymous: ApiClient, pieces: list[int]) -> None:
    """The words wait for a credential that is one."""
    assert anonymous.get("search/?q=canary").status_code == 401
    assert pieces == []
