"""`workspaces/`."""

from __future__ import annotations

from typing import Any

import pytest
from auditlog.models import LogEntry

from audit.models import Event
from documents.models import Workspace
from tests.accounts.factories import user_make
from tests.documents.world import ABSENT, World, statements


def test_create_by_member_makes_the_owner(client_for: Any) -> None:
    """Who makes a workspace is its one member, as owner; the answer says so and where it is."""
    client = client_for()
    answer = client.post("workspaces/", {"name": "Über uns"})
    body = World.ok(answer, 201)
    assert body["slug"] == "uber-uns"
    assert body["role"] == "owner"
    assert body["abilities"]["delete_workspace"] is True
    assert body["policies"]["links_allowed"] is True
    assert answer.headers["Location"].endswith(f"/api/v1/workspaces/{body['id']}/")
    members = client.get(f"workspaces/{body['id']}/members/").json()["results"]
    assert [(row["user"], row["role"]) for row in members] == [(str(client.user.uid), "owner")]
    assert Event.objects.filter(action="workspace.created", target_uid=body["id"]).count() == 1


def test_create_with_a_taken_slug_gets_a_number(client_for: Any) -> None:
    """A slug tells nothing: the second one of a name is numbered, the third further on."""
    slugs = [client_for().post("workspaces/", {"name": "Book"}).json()["slug"] for _ in range(3)]
    assert slugs == ["book", "book-2", "book-3"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/name"),
        ({"name": ""}, "/name"),
        ({"name": 5}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"name": "x", "slug": "No Slug"}, "/slug"),
        ({"name": "x", "default_language": "english please"}, "/default_language"),
        ({"name": "x", "policies": {"trash_days": 0}}, "/policies/trash_days"),
        ({"name": "x", "policies": {"bogus": 1}}, "/policies/bogus"),
        ({"name": "x", "bogus": 1}, "/bogus"),
    ],
)
def test_create_by_member_with_bad_input(client_for: Any, body: dict[str, Any], pointer: str) -> None:
    """Each fault is pointed at and nothing is made."""
    answer = client_for().post("workspaces/", body)
    assert answer.status_code == 400, answer.content
    assert pointer in [error["pointer"] for error in answer.json()["errors"]]
    assert not Workspace.objects.exists()


def test_create_by_guest_is_forbidden(client_for: Any) -> None:
    """A guest has only what is shared with them."""
    answer = client_for(user_make(role="guest")).post("workspaces/", {"name": "x"})
    assert answer.status_code == 403


def test_read_by_outsider_is_not_found(world: World) -> None:
    """Hidden and absent are one answer, on every route of a workspace."""
    outsider = world.client_for()
    for path in ("", "tree/", "trash/", "members/"):
        hidden = outsider.get(f"workspaces/{world.workspace}/{path}")
        absent = outsider.get(f"workspaces/{ABSENT}/{path}")
        assert hidden.status_code == absent.status_code == 404
        assert hidden.json()["code"] == "not_found"


def test_list_shows_own_workspaces_only(world: World) -> None:
    """The list holds what one is a member of, in two statements."""
    other = world.client_for()
    World.ok(other.post("workspaces/", {"name": "Other"}), 201)
    other.get("workspaces/")
    with statements(2):  # 1 sign-in, 2 the page
        names = [row["name"] for row in World.ok(other.get("workspaces/"))["results"]]
    assert names == ["Other"]


def test_update_by_role(world: World) -> None:
    """A manager renames; the slug and the policies are the owners'."""
    manager, editor = world.member("manager"), world.member("editor")
    path = f"workspaces/{world.workspace}/"
    assert World.ok(manager.patch(path, {"name": "New"}))["name"] == "New"
    assert manager.patch(path, {"slug": "mine"}).status_code == 403
    assert manager.patch(path, {"policies": {"trash_days": 3}}).status_code == 403
    assert editor.patch(path, {"name": "x"}).status_code == 403
    changed = World.ok(world.owner.patch(path, {"slug": "mine", "policies": {"trash_days": 3}}))
    assert (changed["slug"], changed["policies"]["trash_days"]) == ("mine", 3)


def test_read_with_if_none_match_is_not_modified(world: World) -> None:
    """The ETag of a workspace spares the second reading, and ends with a change of the reader's role."""
    path = f"workspaces/{world.workspace}/"
    viewer = world.member("viewer")
    etag = viewer.get(path).headers["ETag"]
    assert viewer.get(path, If_None_Match=etag).status_code == 304
    member = next(
        row for row in world.owner.get(path + "members/").json()["results"] if row["role"] == "viewer"
    )
    World.ok(world.owner.patch(f"{path}members/{member['id']}/", {"role": "editor"}))
    assert viewer.get(path, If_None_Match=etag).json()["role"] == "editor"


def test_delete_by_owner_removes_everything(world: World) -> None:
    """A workspace goes with its documents; others may not do that."""
    document = world.document()
    manager = world.member("manager")
    assert manager.delete(f"workspaces/{world.workspace}/").status_code == 403
    assert world.owner.delete(f"workspaces/{world.workspace}/").status_code == 204
    assert world.owner.get(f"workspaces/{world.workspace}/").status_code == 404
    assert world.owner.get(f"documents/{document}/").status_code == 404
    assert Event.objects.filter(action="workspace.deleted").count() == 1


def test_update_and_delete_name_the_entries_of_auditlog(world: World) -> None:
    """Staff edit workspaces, so each change has its entry, which the event names; clocks are none."""
    world.ok(world.owner.patch(f"workspaces/{world.workspace}/", {"name": "Renamed"}))
    workspace = Workspace.objects.get()
    entry = LogEntry.objects.get_for_object(workspace).latest("id")
    assert entry.changes_dict == {"name": ["World", "Renamed"]}
    assert Event.objects.get(action="workspace.updated").log_entry == entry.pk
    world.ok(world.owner.delete(f"workspaces/{world.workspace}/"), 204)
    gone = LogEntry.objects.get(object_pk=workspace.pk, action=LogEntry.Action.DELETE)
    event = Event.objects.get(action="workspace.deleted")
    assert (event.log_entry, event.target_uid) == (gone.pk, workspace.uid)
