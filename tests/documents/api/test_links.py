"""`documents/{id}/links/`: making, changing and revoking share links."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.utils import timezone

from audit.models import Event, EventDetail
from documents.models import ShareLink, WorkspaceUserPermission
from documents.services import locking
from tests.documents.sharing import PASSWORD, link_make, shared
from tests.documents.world import ABSENT, World, statements


def test_link_shows_its_secret_once(world: World) -> None:
    """The secret stands in the answer to its making, and nowhere else."""
    document = world.document(content="Hello")
    answer = world.owner.post(f"documents/{document}/links/", {"role": "viewer", "password": PASSWORD})
    made = World.ok(answer, 201)
    path = f"documents/{document}/links/{made['id']}/"
    assert answer.headers["Location"].endswith(path)
    assert answer.headers["Cache-Control"] == "no-store"
    assert made["url"].endswith(f"/s/{made['secret']}/")
    assert len(made["secret"]) == len("csl_") + 43
    assert {name: made[name] for name in ("role", "has_password", "use_count", "state", "max_uses")} == {
        "role": "viewer",
        "has_password": True,
        "use_count": 0,
        "state": "live",
        "max_uses": None,
    }
    later = World.ok(world.owner.get(path))
    assert later == {name: value for name, value in made.items() if name not in {"secret", "url"}}
    row = ShareLink.objects.get()
    assert made["secret"].encode() not in bytes(row.secret_hash)
    assert PASSWORD not in row.password
    assert made["secret"] not in str(list(Event.objects.values()) + list(EventDetail.objects.values()))


def test_link_is_made_once_for_a_key(world: World) -> None:
    """A repeated creation under its key gives the same link and the same secret."""
    document = world.document()
    first, second = (
        world.owner.post(f"documents/{document}/links/", {}, Idempotency_Key="make-a-link-1") for _ in "ab"
    )
    assert World.ok(first, 201) == World.ok(second, 201)
    assert ShareLink.objects.count() == 1


def test_links_by_lesser_roles(world: World) -> None:
    """Links are for managers: others who see the document get 403, who doesn't see it 404."""
    document, outsider = world.document(), world.client_for()
    link = link_make(world, document, by=world.member("manager"))
    path = f"documents/{document}/links/"
    for role in ("viewer", "commenter", "editor"):
        person = world.member(role)
        assert person.post(path, {}).status_code == 403
        assert person.get(path).status_code == 403
        assert person.get(f"{path}{link['id']}/visits/").status_code == 403
        assert person.delete(f"{path}{link['id']}/").status_code == 403
        assert person.delete(path).status_code == 403
    assert outsider.get(path).status_code == 404
    assert world.owner.get(f"{path}{ABSENT}/").status_code == 404
    other = world.document("Other")
    assert world.owner.get(f"documents/{other}/links/{link['id']}/").status_code == 404


def test_link_input_that_is_refused(world: World) -> None:
    """Each fault is named, and nothing is made."""
    path = f"documents/{world.document()}/links/"
    past = (timezone.now() - dt.timedelta(minutes=1)).isoformat()
    for body, pointer in [
        ({"role": "manager"}, "/role"),
        ({"max_uses": 0}, "/max_uses"),
        ({"password": "abc"}, "/password"),
        ({"expires_at": past}, "/expires_at"),
        ({"secret": "mine"}, "/secret"),
    ]:
        answer = world.owner.post(path, body)
        assert answer.status_code == 400, body
        assert [error["pointer"] for error in answer.json()["errors"]] == [pointer]
    assert not ShareLink.objects.exists()


def test_link_of_a_trashed_document(world: World) -> None:
    """What lies in the trash gets no link, and those that it has open nothing until it is back."""
    document = world.document()
    link = link_make(world, document)
    World.ok(world.act(document, "trash"))
    assert world.owner.post(f"documents/{document}/links/", {}).status_code == 410
    assert shared(link["secret"]).status_code == 404
    World.ok(world.act(document, "restore"))
    assert shared(link["secret"]).status_code == 200


def test_links_where_the_workspace_allows_none(world: World) -> None:
    """The policy refuses new links and closes those there are at once; switched on again they open again."""
    document = world.document()
    link = link_make(world, document)
    room = f"workspaces/{world.workspace}/"
    World.ok(world.owner.patch(room, {"policies": {"links_allowed": False}}))
    assert shared(link["secret"]).status_code == 404
    refused = world.owner.post(f"documents/{document}/links/", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "links_not_allowed")
    World.ok(world.owner.patch(room, {"policies": {"links_allowed": True, "edit_links_allowed": False}}))
    assert shared(link["secret"]).status_code == 200
    refused = world.owner.post(f"documents/{document}/links/", {"role": "editor"})
    assert (refused.status_code, refused.json()["code"]) == (409, "edit_links_not_allowed")


def test_link_lifetime_of_the_workspace(world: World) -> None:
    """A link without an end gets the latest, one beyond it is refused, and old ones are cut to it."""
    document = world.document()
    old = link_make(world, document)
    assert old["expires_at"] is None
    room = f"workspaces/{world.workspace}/"
    World.ok(world.owner.patch(room, {"policies": {"link_lifetime_days": 7}}))
    new = link_make(world, document)
    ends = dt.datetime.fromisoformat(new["expires_at"])
    assert dt.timedelta(days=6, hours=23) < ends - timezone.now() <= dt.timedelta(days=7)
    beyond = {"expires_at": (timezone.now() + dt.timedelta(days=8)).isoformat()}
    refused = world.owner.post(f"documents/{document}/links/", beyond)
    assert refused.json()["errors"][0]["code"] == "beyond_lifetime"
    ShareLink.objects.filter(uid=old["id"]).update(updated_at=timezone.now() - dt.timedelta(days=8))
    assert shared(old["secret"]).status_code == 404
    path = f"documents/{document}/links/"
    assert World.ok(world.owner.get(f"{path}{old['id']}/"))["state"] == "expired"
    assert [row["id"] for row in World.ok(world.owner.get(f"{path}?state=expired"))["results"]] == [old["id"]]
    assert [row["id"] for row in World.ok(world.owner.get(f"{path}?state=live"))["results"]] == [new["id"]]


def test_link_is_changed(world: World) -> None:
    """Every bound can be changed and taken away; the record tells what, and of the password only that."""
    document = world.document()
    link = link_make(world, document)
    path = f"documents/{document}/links/{link['id']}/"
    until = (timezone.now() + dt.timedelta(hours=1)).isoformat()
    changed = World.ok(
        world.owner.patch(
            path,
            {"role": "editor", "password": PASSWORD, "max_uses": 5, "expires_at": until},
        )
    )
    assert (changed["role"], changed["has_password"], changed["max_uses"]) == ("editor", True, 5)
    assert shared(link["secret"]).status_code == 401
    freed = World.ok(world.owner.patch(path, {"password": None, "max_uses": None, "expires_at": None}))
    assert (freed["has_password"], freed["max_uses"], freed["expires_at"]) == (False, None, None)
    assert shared(link["secret"]).status_code == 200
    assert Event.objects.filter(action="link.changed").count() == 2
    assert PASSWORD not in str(list(EventDetail.objects.values()))
    assert world.owner.patch(path, {"max_uses": 1}).status_code == 200
    assert shared(link["secret"]).status_code == 404


def test_link_is_not_bounded_below_its_uses(world: World) -> None:
    """A number of uses that has passed already is refused."""
    document = world.document()
    link = link_make(world, document)
    assert [shared(link["secret"]).status_code for _ in range(2)] == [200, 200]
    refused = world.owner.patch(f"documents/{document}/links/{link['id']}/", {"max_uses": 1})
    assert refused.json()["errors"][0]["code"] == "below_use_count"


def test_link_is_revoked(world: World) -> None:
    """It opens nothing from the next request on, stays on the record and is revoked once."""
    document = world.document()
    link, other = link_make(world, document), link_make(world, document)
    path = f"documents/{document}/links/"
    assert world.owner.delete(f"{path}{link['id']}/").status_code == 204
    assert shared(link["secret"]).status_code == 404
    assert shared(other["secret"]).status_code == 200
    assert [row["id"] for row in World.ok(world.owner.get(path))["results"]] == [other["id"]]
    assert [row["id"] for row in World.ok(world.owner.get(f"{path}?state=revoked"))["results"]] == [
        link["id"]
    ]
    assert World.ok(world.owner.get(f"{path}{link['id']}/"))["state"] == "revoked"
    again = world.owner.delete(f"{path}{link['id']}/")
    assert (again.status_code, again.json()["code"]) == (409, "link_revoked")
    assert world.owner.patch(f"{path}{link['id']}/", {"role": "editor"}).json()["code"] == "link_revoked"
    assert Event.objects.filter(action="link.revoked").count() == 1


def test_links_are_revoked_together(world: World) -> None:
    """DELETE on the list closes every open one, with an event each; a second time there is nothing to do."""
    document, other = world.document(), world.document("Other")
    secrets = [link_make(world, document)["secret"] for _ in range(3)]
    kept = link_make(world, other)["secret"]
    path = f"documents/{document}/links/"
    assert [world.owner.delete(path).status_code for _ in range(2)] == [204, 204]
    assert [shared(secret).status_code for secret in secrets] == [404, 404, 404]
    assert shared(kept).status_code == 200
    assert Event.objects.filter(action="link.revoked").count() == 3


def test_link_visits_are_listed(world: World) -> None:
    """Who came, when, from where and by what program, the latest first."""
    document = world.document()
    link = link_make(world, document)
    World.ok(shared(link["secret"], User_Agent="First/1.0"))
    World.ok(shared(link["secret"], User_Agent="Second/1.0"))
    visits = World.ok(world.owner.get(f"documents/{document}/links/{link['id']}/visits/"))["results"]
    assert [(row["device"], row["address"]) for row in visits] == [
        ("Second/1.0", "127.0.0.1"),
        ("First/1.0", "127.0.0.1"),
    ]
    assert World.ok(world.owner.get(f"documents/{document}/links/{link['id']}/"))["use_count"] == 2


def test_link_outlives_the_rights_of_its_maker(world: World) -> None:
    """It is the document's: who manages the document now decides on it."""
    document, manager = world.document(), world.member("manager")
    link = link_make(world, document, by=manager)
    members = World.ok(world.owner.get(f"workspaces/{world.workspace}/members/"))["results"]
    theirs = next(row for row in members if row["user"] == str(manager.user.uid))  # type: ignore[union-attr]
    assert world.owner.delete(f"workspaces/{world.workspace}/members/{theirs['id']}/").status_code == 204
    assert shared(link["secret"]).status_code == 200
    assert manager.get(f"documents/{document}/links/").status_code == 404
    assert world.owner.delete(f"documents/{document}/links/{link['id']}/").status_code == 204


def test_link_takes_if_match(world: World) -> None:
    """With If-Match a link is made for the version that its maker has seen."""
    document = world.document()
    etag = world.owner.get(f"documents/{document}/").headers["ETag"]
    path = f"documents/{document}/links/"
    assert world.owner.post(path, {}, If_Match=etag).status_code == 201
    World.ok(world.owner.patch(f"documents/{document}/", {"title": "Other"}, If_Match=etag))
    assert world.owner.post(path, {}, If_Match=etag).status_code == 412


def test_link_list_takes_a_fixed_number_of_statements(world: World) -> None:
    """However many there are: sign-in, access map, document, page."""
    document = world.document()
    for _ in range(3):
        link_make(world, document)
    World.ok(world.owner.get(f"documents/{document}/links/"))
    with statements(3):
        World.ok(world.owner.get(f"documents/{document}/links/"))


def test_link_goes_with_its_document(world: World) -> None:
    """A purge takes the links and their visits along."""
    document = world.document()
    link: Any = link_make(world, document)
    World.ok(shared(link["secret"]))
    World.ok(world.act(document, "trash"))
    assert world.owner.delete(f"documents/{document}/").status_code == 204
    assert shared(link["secret"]).status_code == 404
    assert not ShareLink.objects.exists()


def test_link_by_who_loses_the_right_while_waiting(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rights are those of after the lock: who is removed before it is had leaves no link behind."""
    document, manager = world.document(), world.member("manager")
    lock = locking.document_lock

    def late(actor: Any, pk: int) -> Any:
        WorkspaceUserPermission.objects.filter(user=manager.user).delete()
        return lock(actor, pk)

    monkeypatch.setattr(locking, "document_lock", late)
    assert manager.post(f"documents/{document}/links/", {}).status_code == 404
    assert not ShareLink.objects.exists()
