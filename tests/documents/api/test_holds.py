"""`documents/{id}/holds/` and `workspaces/{id}/holds/`: what stands under a legal hold is not removed."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Callable
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.models import F

from accounts.services import admin_create
from audit.models import Event
from documents.models import Document, Hold, Workspace
from tests.accounts.factories import PASSWORD
from tests.actors import command
from tests.documents.api.test_editing_races import at_once
from tests.documents.world import ABSENT, World, statements
from tests.fixtures import ApiClient, client_make


@pytest.fixture
def counsel(world: World) -> ApiClient:
    """Somebody with the permission and without a right on any document."""
    admin, _ = admin_create(actor=command(), email="counsel@example.org", password=PASSWORD)
    return client_make(admin)


@pytest.fixture
def tree(world: World) -> dict[str, str]:
    """The ids of top > middle > leaf, middle and what is below it in the trash, and of the workspace."""
    top = world.document("Top")
    middle = world.document("Middle", parent=top)
    leaf = world.document("Leaf", parent=middle)
    World.ok(world.act(middle, "trash"))
    ids = {"top": top, "middle": middle, "leaf": leaf}
    return {**{name: f"documents/{uid}/" for name, uid in ids.items()}, "room": room(world)}


def room(world: World) -> str:
    """The path of the workspace."""
    return f"workspaces/{world.workspace}/"


def place(counsel: ApiClient, path: str) -> str:
    """The path of a new hold."""
    answer = counsel.post(f"{path}holds/", {"reason": "Case 7"})
    hold = World.ok(answer, 201)
    assert answer.headers["Location"].endswith(f"/api/v1/{path}holds/{hold['id']}/")
    return f"{path}holds/{hold['id']}/"


def refused(answer: Any) -> None:
    """It was held."""
    assert (answer.status_code, answer.json()["code"]) == (423, "legal_hold")


def overdue() -> None:
    """Let everything in the trash have lain there for longer than any workspace keeps it."""
    Document.objects.filter(trashed_at__isnull=False).update(
        trashed_at=F("trashed_at") - dt.timedelta(days=40_000)
    )


@pytest.mark.parametrize("held", ["room", "top", "middle", "leaf"])
def test_hold_keeps_a_tree_from_being_purged(
    world: World, counsel: ApiClient, tree: dict[str, str], held: str
) -> None:
    """On it, above it, below it, on the workspace: nothing of it goes, by hand or by schedule."""
    hold = place(counsel, tree[held])
    refused(world.owner.delete(tree["middle"]))
    overdue()
    call_command("purge_trash", stdout=io.StringIO())
    assert Document.objects.count() == 3
    World.ok(counsel.delete(f"{hold}?reason=Settled"), 204)
    World.ok(world.owner.delete(tree["middle"]), 204)
    assert Document.objects.count() == 1


def test_hold_elsewhere_keeps_nothing_here(world: World, counsel: ApiClient, tree: dict[str, str]) -> None:
    """A sibling's hold, or one of another workspace, lets the schedule go on past it."""
    place(counsel, f"documents/{world.document('Sibling')}/")
    place(counsel, room(World(world.client_for)))
    overdue()
    out = io.StringIO()
    call_command("purge_trash", stdout=out)
    assert out.getvalue().endswith("1 purged.\n")


def test_hold_of_one_tree_does_not_stop_the_purge_of_others(
    world: World, counsel: ApiClient, tree: dict[str, str]
) -> None:
    """The schedule passes over what is held."""
    place(counsel, tree["leaf"])
    other = world.document("Other")
    World.ok(world.act(other, "trash"))
    overdue()
    call_command("purge_trash", stdout=io.StringIO())
    assert set(Document.objects.values_list("title", flat=True)) == {"Top", "Middle", "Leaf"}


@pytest.mark.parametrize("held", ["room", "leaf"])
def test_hold_keeps_the_workspace(world: World, counsel: ApiClient, tree: dict[str, str], held: str) -> None:
    """A workspace with a hold on it or on anything in it isn't deleted, and nothing of it is."""
    hold = place(counsel, tree[held])
    refused(world.owner.delete(room(world)))
    assert (Workspace.objects.count(), Document.objects.count()) == (1, 3)
    World.ok(counsel.delete(hold), 204)
    World.ok(world.owner.delete(room(world)), 204)
    assert not Hold.objects.exists()


def test_hold_keeps_who_wrote_what(world: World, counsel: ApiClient) -> None:
    """The account of who owns, made or edited what is held isn't erased; that of anybody else is."""
    maker, editor, stranger = world.member("editor"), world.member("editor"), world.member("editor")
    document = world.document("Evidence", by=maker)
    etag = editor.get(f"documents/{document}/").headers["ETag"]
    World.ok(editor.patch(f"documents/{document}/", {"title": "Edited"}, If_Match=etag))
    hold = place(counsel, f"documents/{document}/")
    refused(maker.delete("me/"))
    refused(editor.delete("me/"))
    World.ok(stranger.delete("me/"), 204)
    World.ok(counsel.delete(hold), 204)
    World.ok(editor.delete("me/"), 204)


def test_hold_leaves_work_alone(world: World, counsel: ApiClient) -> None:
    """What is held is edited, moved, trashed and restored as ever: nothing of that is lost."""
    document = world.document("Evidence")
    place(counsel, f"documents/{document}/")
    etag = world.owner.get(f"documents/{document}/").headers["ETag"]
    World.ok(world.owner.patch(f"documents/{document}/", {"content": "new"}, If_Match=etag))
    World.ok(world.act(document, "trash"))
    World.ok(world.act(document, "restore"))


def test_hold_is_placed_on_what_one_does_not_see(world: World, counsel: ApiClient) -> None:
    """The permission finds drafts and the trash, and shows no more than where the hold stands."""
    draft = world.document("Draft", state="draft")
    hold = World.ok(counsel.post(f"documents/{draft}/holds/", {"reason": "Case 7"}), 201)
    assert counsel.get(f"documents/{draft}/").status_code == 404
    assert hold == World.ok(counsel.get(f"documents/{draft}/holds/{hold['id']}/"))
    assert hold | {"id": "", "created_at": "", "updated_at": ""} == {
        "id": "",
        "workspace": world.workspace,
        "document": draft,
        "name": "Draft",
        "reason": "Case 7",
        "placed_by": {"kind": "user", "id": str(counsel.user.uid), "name": counsel.user.name},
        "released_by": None,
        "released_at": None,
        "created_at": "",
        "updated_at": "",
    }


def test_holds_that_concern_a_document(world: World, counsel: ApiClient) -> None:
    """Its own, those above it and the workspace's; a workspace lists all in it.

    Released ones are told apart.
    """
    top = world.document("Top")
    leaf = world.document("Leaf", parent=top)
    other = world.document("Other")
    paths = {name: f"documents/{uid}/" for name, uid in (("Top", top), ("Leaf", leaf), ("Other", other))}
    holds = {name: place(counsel, path) for name, path in {**paths, "World": room(world)}.items()}
    World.ok(counsel.delete(holds["Leaf"]), 204)

    def names(path: str) -> list[str]:
        return [row["name"] for row in World.ok(counsel.get(f"{path}"))["results"]]

    assert names(f"{paths['Leaf']}holds/") == ["World", "Leaf", "Top"]
    assert names(f"{paths['Leaf']}holds/?released=false") == ["World", "Top"]
    assert names(f"{room(world)}holds/?released=true") == ["Leaf"]
    assert len(names(f"{room(world)}holds/")) == 4
    assert counsel.get(f"{paths['Top']}holds/{holds['Other'].split('/')[-2]}/").status_code == 404


def test_hold_is_on_the_record(world: World, counsel: ApiClient) -> None:
    """Placing and releasing are events of what is held, with their reasons."""
    document = world.document("Evidence")
    hold = place(counsel, f"documents/{document}/")
    World.ok(counsel.delete(f"{hold}?reason=Settled"), 204)
    events = Event.objects.filter(action__startswith="hold.").order_by("sequence").select_related("detail")
    assert [(row.action, str(row.target_uid), row.detail.content["reason"]) for row in events] == [
        ("hold.placed", document, "Case 7"),
        ("hold.released", document, "Settled"),
    ]
    again = counsel.delete(hold)
    assert (again.status_code, again.json()["code"]) == (409, "hold_released")
    assert World.ok(counsel.get(hold))["released_by"]["id"] == str(counsel.user.uid)


def test_hold_needs_the_permission(world: World, tree: dict[str, str]) -> None:
    """Not even the workspace's owner learns of holds, and what is absent is not told apart."""
    for path in (tree["top"], room(world), f"documents/{ABSENT}/"):
        for answer in (world.owner.get(f"{path}holds/"), world.owner.post(f"{path}holds/", {"reason": "x"})):
            assert (answer.status_code, answer.json()["permission"]) == (403, "documents.place_hold")


@pytest.mark.parametrize("body", [{}, {"reason": ""}, {"reason": "x" * 501}, {"reason": "x", "until": "now"}])
def test_hold_with_bad_input(world: World, counsel: ApiClient, body: dict[str, Any]) -> None:
    """A hold has a reason, and nothing else."""
    assert counsel.post(f"{room(world)}holds/", body).status_code == 400
    assert counsel.post(f"documents/{ABSENT}/holds/", {"reason": "x"}).status_code == 404
    assert not Hold.objects.exists()


def test_database_keeps_what_is_held(world: World, counsel: ApiClient) -> None:
    """Whatever code forgets to ask: the keys refuse it when the transaction ends."""
    document = world.document("Evidence")
    place(counsel, f"documents/{document}/")
    with pytest.raises(IntegrityError), transaction.atomic():
        _delete_at_once(document)


def _delete_at_once(document: str) -> None:
    Document.objects.filter(uid=document).delete()
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.usefixtures("transactional_db")
def test_hold_and_purge_at_once(client_for: Callable[..., ApiClient]) -> None:
    """Whichever comes first: nothing is purged that a hold was answered for."""
    world = World(client_for)
    admin, _ = admin_create(actor=command(), email="counsel@example.org", password=PASSWORD)
    counsel = client_make(admin)
    for number in range(4):
        document = world.document(str(number))
        World.ok(world.act(document, "trash"))
        acts = [
            lambda path=f"documents/{document}/holds/": counsel.post(path, {"reason": "Case 7"}),
            lambda path=f"documents/{document}/": world.owner.delete(path),
        ]
        placed, purged = at_once(acts)
        assert (placed.status_code, purged.status_code) in {(201, 423), (404, 204)}


def test_holds_cost_four_statements(world: World, counsel: ApiClient, tree: dict[str, str]) -> None:
    """1 sign-in, 2 permissions, 3 what is held, 4 the page; however many there are."""
    for name in ("top", "leaf", "room"):
        place(counsel, tree[name])
    counsel.get(f"{tree['leaf']}holds/")
    with statements(4):
        World.ok(counsel.get(f"{tree['leaf']}holds/"))
    with statements(4):
        World.ok(counsel.get(f"{room(world)}holds/"))
