"""`documents/{id}/grants/`."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone

from accounts.models import Team
from audit.models import Event
from documents.models import DocumentUserPermission, WorkspaceUserPermission
from documents.services import locking
from tests.documents.world import ABSENT, World, uid_of


def team_of(*people: Any) -> Team:
    """A team with these members."""
    team = Team(name="Crew", group=Group.objects.create(name="team:pending"))
    team.save()
    team.group.user_set.set([person.user for person in people])
    return team


def test_grant_is_inherited_and_ends_at_once(world: World) -> None:
    """A grant opens the document and all below it, on the next request; taken away it closes them."""
    top = world.document("Top")
    leaf, beside = world.document("Leaf", parent=top), world.document("Beside")
    guest = world.client_for()
    granted = world.grant(top, guest, "commenter")
    assert (granted["user"], granted["role"], granted["origin"]) == (uid_of(guest), "commenter", "standing")
    assert World.ok(guest.get(f"documents/{leaf}/"))["abilities"]["comment"] is True
    assert guest.get(f"documents/{beside}/").status_code == 404
    assert guest.get(f"workspaces/{world.workspace}/").status_code == 404
    path = f"documents/{top}/grants/{granted['id']}/"
    assert World.ok(world.owner.patch(path, {"role": "editor"}))["role"] == "editor"
    assert World.ok(guest.get(f"documents/{leaf}/"))["abilities"]["edit"] is True
    assert world.owner.delete(path).status_code == 204
    assert guest.get(f"documents/{leaf}/").status_code == 404
    assert Event.objects.filter(action__in=["grant.set", "grant.removed"]).count() == 3


def test_grant_to_a_team_reaches_its_members(world: World) -> None:
    """A team's grant counts for whoever is in it at the moment, with the stamps of either side."""
    document, person = world.document(), world.client_for()
    team = team_of(person, world.owner)
    body = {"team": str(team.uid), "role": "viewer"}
    World.ok(world.owner.post(f"documents/{document}/grants/", body), 201)
    assert person.get(f"documents/{document}/").status_code == 200
    team.group.user_set.remove(person.user)
    assert person.get(f"documents/{document}/").status_code == 404
    World.ok(world.owner.post(f"workspaces/{world.workspace}/members/", body), 201)
    team.group.user_set.add(person.user)
    assert person.get(f"workspaces/{world.workspace}/").status_code == 200


def test_grants_add_up(world: World) -> None:
    """The strongest of all that reach the document counts."""
    top = world.document("Top")
    leaf = world.document("Leaf", parent=top)
    person = world.member("viewer")
    world.grant(top, person, "commenter")
    world.grant(leaf, person, "manager")
    abilities = World.ok(person.get(f"documents/{leaf}/"))["abilities"]
    assert (abilities["comment"], abilities["grant"]) == (True, True)
    assert World.ok(person.get(f"documents/{top}/"))["abilities"]["edit"] is False


def test_grant_by_lesser_roles(world: World) -> None:
    """Editors give nothing, managers up to manager, strangers meet a 404."""
    document = world.document()
    editor, manager, guest = world.member("editor"), world.member("manager"), world.client_for()
    body = {"user": uid_of(guest), "role": "viewer"}
    assert editor.post(f"documents/{document}/grants/", body).status_code == 403
    assert guest.post(f"documents/{document}/grants/", body).status_code == 404
    assert manager.post(f"documents/{document}/grants/", {**body, "role": "owner"}).status_code == 400
    granted = world.grant(document, guest, "manager", by=manager)
    assert editor.get(f"documents/{document}/grants/").status_code == 403
    assert editor.delete(f"documents/{document}/grants/{granted['id']}/").status_code == 403
    assert guest.delete(f"documents/{document}/grants/{granted['id']}/").status_code == 204


def test_grant_with_an_end(world: World) -> None:
    """A temporary grant ends by itself; a second of its origin is a conflict while it lives."""
    document, guest = world.document(), world.client_for()
    until = (timezone.now() + dt.timedelta(hours=1)).isoformat()
    body = {"user": uid_of(guest), "role": "viewer", "expires_at": until}
    granted = World.ok(world.owner.post(f"documents/{document}/grants/", body), 201)
    assert granted["origin"] == "temporary"
    assert world.owner.post(f"documents/{document}/grants/", body).json()["code"] == "grant_exists"
    DocumentUserPermission.objects.update(expires_at=timezone.now() - dt.timedelta(seconds=1))
    assert guest.get(f"documents/{document}/").status_code == 404
    assert World.ok(world.owner.get(f"documents/{document}/grants/"))["results"] == []
    World.ok(world.owner.post(f"documents/{document}/grants/", body), 201)


def test_grant_of_another_document_is_not_found(world: World) -> None:
    """A grant is found under its own document alone."""
    document, other, guest = world.document(), world.document("Other"), world.client_for()
    granted = world.grant(document, guest, "viewer")
    assert world.owner.delete(f"documents/{other}/grants/{granted['id']}/").status_code == 404
    assert world.owner.patch(f"documents/{document}/grants/{ABSENT}/", {"role": "editor"}).status_code == 404


def test_users_found_share_a_workspace(world: World) -> None:
    """One finds people of one's own workspaces, and nobody else."""
    colleague, stranger = world.member("viewer"), world.client_for()
    found = World.ok(world.owner.get("users/?search=person"))["results"]
    assert {row["id"] for row in found} == {uid_of(world.owner), uid_of(colleague)}
    assert [row["id"] for row in World.ok(stranger.get("users/"))["results"]] == [uid_of(stranger)]
    name = colleague.user.name
    assert [row["name"] for row in World.ok(world.owner.get(f"users/?search={name}"))["results"]] == [name]


@pytest.mark.django_db(transaction=True)
def test_two_owners_leaving_at_once_leave_one(client_for: Any) -> None:
    """The last owner is counted under the workspace's lock: of two who leave, one stays."""
    world = World(client_for)
    second = world.member("owner")
    rows = World.ok(world.owner.get(f"workspaces/{world.workspace}/members/"))["results"]
    by_user = {row["user"]: row["id"] for row in rows}
    statuses: list[int] = []

    def leave(person: Any) -> None:
        path = f"workspaces/{world.workspace}/members/{by_user[uid_of(person)]}/"
        statuses.append(person.delete(path).status_code)
        connection.close()

    threads = [threading.Thread(target=leave, args=(person,)) for person in (world.owner, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [204, 409]
    assert WorkspaceUserPermission.objects.count() == 1


def test_grant_by_who_loses_the_right_while_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rights are those of after the lock: what is taken before it is had gives nothing."""
    document, manager = world.document(), world.member("manager")
    lock = locking.document_lock

    def late(actor: Any, pk: int) -> Any:
        WorkspaceUserPermission.objects.filter(user=manager.user).delete()
        return lock(actor, pk)

    monkeypatch.setattr(locking, "document_lock", late)
    body = {"user": uid_of(world.client_for()), "role": "viewer"}
    assert manager.post(f"documents/{document}/grants/", body).status_code == 404
    assert not DocumentUserPermission.objects.exists()
