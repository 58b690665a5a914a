"""`POST documents/`."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Event
from documents import limits
from documents.api import documents
from documents.models import Document, DocumentUserPermission, Placement, Revision, Workspace
from tests.documents.world import ABSENT, World, statements


def test_create_by_editor(world: World) -> None:
    """A document comes with its first revision, its place and its event, and the answer says where it is."""
    editor = world.member("editor")
    body = {
        "workspace": world.workspace,
        "title": "New",
        "content": "text\n",
        "tags": ["a", "a"],
        "note": "why",
    }
    answer = editor.post("documents/", body)
    created = World.ok(answer, 201)
    assert answer.headers["Location"].endswith(f"/api/v1/documents/{created['id']}/")
    assert answer.headers["ETag"] == editor.get(f"documents/{created['id']}/").headers["ETag"]
    assert (created["tags"], created["revision"], created["content"]) == (["a"], 1, "text\n")
    row = Document.objects.get(uid=created["id"])
    revision = Revision.objects.get(document=row)
    assert (revision.number, revision.note, revision.size, revision.parent) == (1, "why", 5, None)
    place = Placement.objects.get(document=row)
    assert (place.position, place.state, place.trashed, place.valid_to) == (
        row.position,
        "published",
        False,
        None,
    )
    event = Event.objects.get(action="document.created")
    assert (event.target_uid, event.actor_uid) == (row.uid, editor.user.uid)


def test_create_costs_five_statements_and_six_below_a_parent(world: World) -> None:
    """1 sign-in, 2 lock, 3 clock, stamps and siblings, 4 rows and answer, 5 event; a parent is looked up."""
    body = {"workspace": world.workspace, "title": "New", "content": "text\n"}
    world.owner.post("documents/", body)
    with statements(5):
        parent = World.ok(world.owner.post("documents/", body), 201)["id"]
    with statements(6):
        World.ok(world.owner.post("documents/", {**body, "parent": parent}), 201)


def test_create_asks_in_pairs(world: World, pieces: list[int]) -> None:
    """The lock with what is read under it, the rows with their event: of both one way to the server."""
    body = {"workspace": world.workspace, "title": "New", "content": "text\n"}
    world.owner.post("documents/", body)
    pieces.clear()
    World.ok(world.owner.post("documents/", body), 201)
    assert pieces == [2, 2]
    assert Event.objects.filter(action="document.created").count() == 2


def test_create_of_a_draft_has_one_event_of_each_kind(world: World) -> None:
    """Its maker's grant is written between the rows and the end of what their event goes along with."""
    body = {"workspace": world.workspace, "title": "New", "state": "draft"}
    World.ok(world.owner.post("documents/", body), 201)
    assert Event.objects.filter(action="document.created").count() == 1


def test_create_in_a_hidden_workspace_costs_as_much_as_in_none(world: World) -> None:
    """Also where this process knows its key: how long a 404 takes tells nothing."""
    World.ok(world.owner.post("documents/", {"workspace": world.workspace, "title": "Known"}), 201)
    outsider = world.client_for()
    outsider.get("documents/")
    for workspace in (world.workspace, ABSENT):
        with CaptureQueriesContext(connection) as asked:
            answer = outsider.post("documents/", {"workspace": workspace, "title": "New"})
        assert (answer.status_code, len(asked)) == (404, 2)


def test_create_takes_the_language_of_the_workspace_as_it_is_now(world: World) -> None:
    """Whatever the process knew of it before."""
    body = {"workspace": world.workspace, "title": "New"}
    World.ok(world.owner.post("documents/", body), 201)
    Workspace.objects.filter(uid=world.workspace).update(default_language="de")
    assert World.ok(world.owner.post("documents/", body), 201)["language"] == "de"


def test_create_in_a_workspace_that_went_meanwhile_is_not_found(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Seen by what was known of it, and no longer there to be locked."""
    gone = Workspace(pk=Workspace.objects.get(uid=world.workspace).pk + 1, uid=uuid.UUID(ABSENT))
    monkeypatch.setattr(documents, "workspace_known", lambda actor, uid: gone)
    answer = world.owner.post("documents/", {"workspace": ABSENT, "title": "New"})
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


def test_create_by_lesser_roles_is_forbidden(world: World) -> None:
    """Viewers and commenters don't create, neither on top nor below."""
    parent = world.document()
    for role in ("viewer", "commenter"):
        person = world.member(role)
        body = {"workspace": world.workspace, "title": "x"}
        assert person.post("documents/", body).status_code == 403
        assert person.post("documents/", {**body, "parent": parent}).status_code == 403
    assert Document.objects.count() == 1


def test_create_by_outsider_is_not_found(world: World) -> None:
    """A hidden workspace or parent is as absent."""
    outsider, parent = world.client_for(), world.document()
    for body in (
        {"workspace": world.workspace, "title": "x"},
        {"workspace": world.workspace, "title": "x", "parent": parent},
        {"workspace": ABSENT, "title": "x"},
        {"workspace": world.workspace, "title": "x", "parent": ABSENT},
    ):
        assert outsider.post("documents/", body).status_code == 404


def test_create_below_a_shared_document_without_membership(world: World) -> None:
    """Whoever may edit a document may create below it, a member or not."""
    parent, guest = world.document(), world.client_for()
    world.grant(parent, guest, "editor")
    created = world.document("Child", by=guest, parent=parent)
    assert World.ok(world.owner.get(f"documents/{created}/"))["parent"] == parent


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"title": ""}, "/title"),
        ({"title": "x" * (limits.TITLE_LENGTH + 1)}, "/title"),
        ({"title": 5}, "/title"),
        ({"tags": [str(number) for number in range(51)]}, "/tags"),
        ({"tags": ["x" * 101]}, "/tags/0"),
        ({"state": "archived"}, "/state"),
        ({"language": "!"}, "/language"),
        ({"content": "é" * (1024 * 1024 + 1)}, "/content"),
        ({"parent": "7"}, "/parent"),
        ({"before": ABSENT}, "/before"),
        ({"path": "0000000001"}, "/path"),
        ({"reach": [1]}, "/reach"),
    ],
)
def test_create_with_bad_input(world: World, fields: dict[str, Any], pointer: str) -> None:
    """Each fault is named and nothing is made."""
    answer = world.owner.post("documents/", {"workspace": world.workspace, "title": "x", **fields})
    assert answer.status_code == 400, answer.content
    assert any(error["pointer"].startswith(pointer) for error in answer.json()["errors"]), answer.content
    assert not Document.objects.exists()


def test_create_below_a_document_of_another_workspace(world: World) -> None:
    """The parent must stand in the workspace named."""
    other = World(world.client_for)
    parent = world.document()
    other.ok(other.add(world.owner, "editor"), 201)
    answer = world.owner.post("documents/", {"workspace": other.workspace, "title": "x", "parent": parent})
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "other_workspace")


def test_create_beyond_the_depth(world: World) -> None:
    """Trees are 20 levels deep at most."""
    parent = world.document("1")
    for level in range(2, 21):
        parent = world.document(str(level), parent=parent)
    answer = world.owner.post("documents/", {"workspace": world.workspace, "title": "21", "parent": parent})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_deep")


def test_create_a_draft_is_seen_by_its_maker_alone(world: World) -> None:
    """A draft is a cut: not even the workspace's owner sees it, nor what is made below it."""
    editor = world.member("editor")
    draft = world.document("Draft", by=editor, state="draft")
    child = world.document("Child", by=editor, parent=draft)
    assert World.ok(editor.get(f"documents/{draft}/"))["abilities"]["grant"] is True
    for document in (draft, child):
        assert world.owner.get(f"documents/{document}/").status_code == 404
    assert world.titles(world.owner) == []
    assert DocumentUserPermission.objects.get().origin == "draft"


def test_create_twice_with_one_idempotency_key(world: World) -> None:
    """A retried creation gives the first answer and makes nothing more."""
    body = {"workspace": world.workspace, "title": "Once"}
    first = world.owner.post("documents/", body, Idempotency_Key="key-of-this-creation")
    again = world.owner.post("documents/", body, Idempotency_Key="key-of-this-creation")
    assert World.ok(first, 201) == World.ok(again, 201)
    assert Document.objects.count() == 1


def test_create_in_a_busy_workspace_is_locked(world: World) -> None:
    """While a job rewrites the tree nothing is added; the answer says when to come back."""
    Workspace.objects.update(busy_job=ABSENT)
    answer = world.owner.post("documents/", {"workspace": world.workspace, "title": "x"})
    assert (answer.status_code, answer.json()["code"]) == (423, "workspace_busy")
    assert int(answer.headers["Retry-After"]) > 0
