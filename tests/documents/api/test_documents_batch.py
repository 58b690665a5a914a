"""POST documents/batch/."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from audit.models import Event
from documents.models import Document, Revision
from tests.accounts.factories import token_make
from tests.documents.api.test_documents_places import wrong_rows
from tests.documents.world import ABSENT, World, statements, uid_of
from tests.fixtures import ApiClient

PATH = "documents/batch/"


def batch(client: ApiClient, action: str, ids: list[str], **more: Any) -> list[tuple[int, str | None]]:
    """Status and code of each result, which stand in the order of the ids."""
    results = World.ok(client.post(PATH, {"action": action, "ids": ids, **more}))["results"]
    assert [row["id"] for row in results] == ids
    return [(row["status"], row.get("error", {}).get("code")) for row in results]


def test_trash_and_restore_of_many(world: World) -> None:
    """Each is answered as alone, and each that changed is one event; hidden and absent are alike."""
    editor = world.member("editor")
    first, second = world.document("1"), world.document("2")
    child = world.document("child", parent=first)
    hidden = world.document("hidden")
    World.ok(world.owner.patch(f"documents/{hidden}/", {"inherits_access": False}))
    found = batch(editor, "trash", [first, child, hidden, ABSENT, second])
    assert found == [(200, None), (410, "trashed"), (404, "not_found"), (404, "not_found"), (200, None)]
    assert Event.objects.filter(action="document.trashed").count() == 2
    viewer = world.member("viewer")
    assert batch(viewer, "restore", [first, hidden]) == [(404, "not_found")] * 2
    found = batch(editor, "restore", [second, child, first, hidden])
    assert found == [(200, None), (409, "parent_trashed"), (200, None), (404, "not_found")]
    assert batch(editor, "restore", [first]) == [(409, "not_in_trash")]


def test_results_of_hidden_and_absent_are_equal(world: World) -> None:
    """But for the id, to the last byte."""
    hidden, outsider = world.document(), world.client_for()
    body = {"action": "trash", "ids": [hidden, ABSENT]}
    one, other = World.ok(outsider.post(PATH, body))["results"]
    assert {**one, "id": ABSENT} == other


def test_move_of_many_keeps_their_order(world: World) -> None:
    """Behind a sibling they stand in the order of the ids; those that may not be moved are told so."""
    top = world.document("Top")
    anchor = world.document("anchor", parent=top)
    world.document("last", parent=top)
    ids = [world.document(name) for name in ("c", "a", "b")]
    assert batch(world.owner, "move", [*ids, top], parent=top, after=anchor) == [
        *[(200, None)] * 3,
        (409, "move_into_itself"),
    ]
    rows = World.ok(world.owner.get(f"documents/{top}/children/"))["results"]
    assert [row["title"] for row in rows] == ["anchor", "c", "a", "b", "last"]
    assert Event.objects.filter(action="document.moved").count() == 3
    assert batch(world.member("editor"), "move", ids, parent=None) == [(403, "permission_denied")] * 3
    assert wrong_rows() == 0


def test_tags_of_many(world: World) -> None:
    """Tags are added and removed in a revision each; what has them already gets none."""
    first, second = world.document("1", tags=["a", "b"]), world.document("2", tags=["c", "x"])
    archived = world.document("3")
    World.ok(world.act(archived, "archive"))
    full = world.document("4", tags=[str(number) for number in range(49)])
    found = batch(world.owner, "tag", [first, second, archived, full], add=["c", "d"], remove=["b"])
    assert found == [(200, None), (200, None), (409, "document_archived"), (400, "invalid")]
    tags = dict(Document.objects.values_list("title", "tags"))
    assert (tags["1"], tags["2"]) == (["a", "c", "d"], ["c", "x", "d"])
    assert batch(world.owner, "tag", [first], add=["c"]) == [(200, None)]
    assert Revision.objects.filter(document__uid=first).count() == 2
    assert batch(world.member("viewer"), "tag", [first], add=["e"]) == [(403, "permission_denied")]


def test_grants_on_many(world: World) -> None:
    """A person gets a role on each, up to the actor's own; the results name the grants."""
    reader = world.client_for()
    first, second = world.document("1"), world.document("2")
    world.grant(second, reader, "viewer")
    body = {"action": "grant", "ids": [first, second], "user": uid_of(reader), "role": "editor"}
    done, refused = World.ok(world.owner.post(PATH, body))["results"]
    assert (done["status"], refused["status"], refused["error"]["code"]) == (201, 409, "grant_exists")
    assert reader.get(f"documents/{first}/").status_code == 200
    grants = World.ok(world.owner.get(f"documents/{first}/grants/"))["results"]
    assert [grant["id"] for grant in grants] == [done["grant"]]
    editor = world.member("editor")
    statuses = [row["status"] for row in World.ok(editor.post(PATH, body))["results"]]
    assert statuses == [403, 403]
    assert Event.objects.filter(action="access.denied").count() <= 1


def test_grants_by_token_take_the_scope_of_grants(world: World) -> None:
    """What a token can't do to one document it can't do to many."""
    document = world.document()
    assert world.owner.user is not None
    token = ApiClient(token_make(world.owner.user, "documents:write"))
    body = {"action": "grant", "ids": [document], "user": uid_of(world.client_for()), "role": "viewer"}
    answer = token.post(PATH, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")
    assert World.ok(token.post(PATH, {"action": "trash", "ids": [document]}))["results"][0]["status"] == 200


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"action": "purge"}, "/action"),
        ({"action": "trash", "ids": []}, "/ids"),
        ({"action": "trash", "ids": ["x"]}, "/ids/0"),
        ({"action": "trash", "ids": ["{document}", "{document}"]}, "/ids"),
        ({"action": "trash", "ids": [str(uuid.UUID(int=n)) for n in range(501)]}, "/ids"),
        ({"action": "trash", "parent": None}, "/parent"),
        ({"action": "move"}, "/parent"),
        ({"action": "move", "role": "viewer", "parent": None}, "/role"),
        ({"action": "tag"}, "/add"),
        ({"action": "tag", "add": ["a"], "remove": ["a"]}, "/remove"),
        ({"action": "tag", "add": [""]}, "/add/0"),
        ({"action": "grant", "role": "viewer"}, "/role"),
        ({"action": "grant", "role": "owner", "user": ABSENT}, "/role"),
        ({"action": "trash", "bogus": 1}, "/bogus"),
    ],
)
def test_batch_with_bad_input(world: World, body: dict[str, Any], pointer: str) -> None:
    """A body that says nothing clear is refused as a whole, and nothing is changed."""
    document = world.document()
    ids = [document if uid == "{document}" else uid for uid in body.get("ids", [document])]
    answer = world.owner.post(PATH, {**body, "ids": ids})
    assert answer.status_code == 400, answer.content
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert Event.objects.filter(target_uid=document).count() == 1


def test_foreign_ids_beside_the_documents_refuse_the_whole(world: World) -> None:
    """A hidden place or person is as absent as in a request for one document."""
    document, theirs = world.document(), World(world.client_for)
    hidden = theirs.document("Hidden")
    for more in (
        {"action": "move", "parent": hidden},
        {"action": "move", "workspace": theirs.workspace},
        {"action": "grant", "role": "viewer", "user": ABSENT},
        {"action": "grant", "role": "viewer", "team": ABSENT},
    ):
        assert world.owner.post(PATH, {"ids": [document], **more}).status_code == 404
    sibling = world.owner.post(PATH, {"action": "move", "ids": [document], "after": hidden})
    assert World.ok(sibling)["results"][0]["status"] == 400


def test_statements_of_a_batch(world: World) -> None:
    """Two for the whole and eight for each document that goes into the trash."""
    ids = [world.document(str(number)) for number in range(10)]
    batch(world.owner, "restore", [ABSENT])
    # 1 sign-in, 2 documents; each: workspace, stamps, document, subtree, trash, 2 places, event
    with statements(2 + 10 * 8):
        batch(world.owner, "trash", ids)
    with statements(2):
        batch(world.owner, "trash", [str(uuid.UUID(int=n)) for n in range(500)])
