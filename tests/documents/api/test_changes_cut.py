"""The change feed of a token that is cut to a subtree: what leaves that is gone for it."""

from __future__ import annotations

import pytest

from documents.models import Document
from tests.accounts.factories import token_make
from tests.documents.api.test_changes import Feed
from tests.documents.world import World
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db(transaction=True)


def cut_feed(world: World, root: str) -> Feed:
    """The feed of a token of the owner's that sees a document with all below it."""
    page = Document.objects.get(uid=root)
    assert world.owner.user is not None
    token = token_make(world.owner.user, document_pk=page.pk, document_uid=page.uid)
    return Feed(ApiClient(token))


@pytest.mark.parametrize("inherits", [True, False])
def test_a_move_out_of_the_cut_is_a_tombstone(world: World, inherits: bool) -> None:
    """Whether grants reached it there or not; the person still sees it, and so does their own feed."""
    top = world.document("Top")
    child = world.document("Child", parent=top)
    leaf = world.document("Leaf", parent=child)
    World.ok(world.owner.patch(f"documents/{leaf}/", {"inherits_access": inherits}))
    feed, whole = cut_feed(world, top), Feed(world.owner)
    World.ok(world.act(leaf, "move", parent=None))
    assert feed.told() == [("document.moved", leaf, "gone")]
    assert whole.told() == [("document.moved", leaf, "anew")]


def test_what_moves_outside_of_the_cut_is_not_told(world: World) -> None:
    """Nor its id."""
    top, other = world.document("Top"), world.document("Other")
    leaf = world.document("Leaf", parent=other)
    World.ok(world.owner.patch(f"documents/{leaf}/", {"inherits_access": False}))
    feed = cut_feed(world, top)
    World.ok(world.act(leaf, "move", parent=None))
    assert feed.told() == []


def test_a_snapshot_that_takes_it_out_of_the_cut_is_a_tombstone(world: World) -> None:
    """What a restored moment has elsewhere left the subtree, too."""
    top, leaf = world.document("Top"), world.document("Leaf")
    World.ok(world.owner.patch(f"documents/{leaf}/", {"inherits_access": False}))
    snapshots = f"workspaces/{world.workspace}/snapshots/"
    snapshot = World.ok(world.owner.post(snapshots, {"name": "Then"}), 201)["id"]
    World.ok(world.act(leaf, "move", parent=top))
    feed = cut_feed(world, top)
    World.ok(world.owner.post(f"{snapshots}{snapshot}/restore/", {}))
    assert feed.told() == [("document.moved", leaf, "gone")]
