"""`documents/{id}/access-requests/` and `me/access-requests/`."""

from __future__ import annotations

import datetime as dt
import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.actors import service_actor
from audit.models import Event
from cloudscribe.jobs.models import Job
from documents.exports import DocumentExports
from documents.models import AccessRequest, DocumentUserPermission
from documents.queues import ACCESS_REQUEST_TELL
from documents.services.access_requests import access_request_tell, access_requests_purge
from tests.documents.api.test_editing_races import at_once
from tests.documents.api.test_grants import team_of
from tests.documents.world import ABSENT, World, statements, uid_of
from tests.fixtures import ApiClient

OWN = "me/access-requests/"


def ask(person: ApiClient, document: str, role: str = "viewer", **more: Any) -> Any:
    """The answer to somebody's wish."""
    return person.post(f"documents/{document}/access-requests/", {"role": role, **more})


def asked(person: ApiClient, document: str, role: str = "viewer", **more: Any) -> str:
    """The id of a wish of which those who answer have been told."""
    uid: str = World.ok(ask(person, document, role, **more), 202)["id"]
    tell()
    return uid


def tell() -> None:
    """Do what the jobs would."""
    for job in Job.objects.filter(kind=ACCESS_REQUEST_TELL):
        access_request_tell(request=uuid.UUID(job.payload["request"]))
    Job.objects.filter(kind=ACCESS_REQUEST_TELL).delete()


def told(person: ApiClient) -> list[str]:
    """Of which documents somebody was told that access is asked for."""
    rows = World.ok(person.get("me/notifications/"))["results"]
    return [row["target"]["title"] for row in rows if row["kind"] == "access.requested"]


def state(person: ApiClient) -> str:
    """How somebody's newest wish stands."""
    return str(World.ok(person.get(OWN))["results"][0]["state"])


def test_ask_and_approve(world: World) -> None:
    """Who may grant is told, sees the wish, and grants it; the asker reads from then on."""
    document, manager, guest = world.document("Plan"), world.member("manager"), world.client_for()
    editor = world.member("editor")
    wish = asked(guest, document, "editor", message="I write the summary.")
    assert (told(manager), told(world.owner), told(editor)) == (["Plan"], ["Plan"], [])
    path = f"documents/{document}/access-requests/"
    (row,) = World.ok(manager.get(path))["results"]
    assert (row["id"], row["user"]["id"], row["role"], row["message"]) == (
        wish,
        uid_of(guest),
        "editor",
        "I write the summary.",
    )
    answered = World.ok(manager.post(f"{path}{wish}/approve/", {}))
    assert answered["decision"] == "approved"
    assert World.ok(guest.get(f"documents/{document}/"))["abilities"]["edit"] is True
    assert state(guest) == "approved"
    assert World.ok(manager.get(path))["results"] == []
    actions = Event.objects.filter(action__startswith="access_request").values_list("action", flat=True)
    assert sorted(actions) == [f"access_request.{what}" for what in ("approved", "created", "received")]
    assert Event.objects.filter(action="grant.set").count() == 1
    again = manager.post(f"{path}{wish}/approve/", {})
    assert (again.status_code, again.json()["code"]) == (409, "access_request_closed")


def test_approve_with_another_role_and_an_end(world: World) -> None:
    """Up to the own role, and for a time."""
    document, manager, guest = world.document(), world.member("manager"), world.client_for()
    wish = asked(guest, document, "manager")
    until = timezone.now() + dt.timedelta(days=1)
    path = f"documents/{document}/access-requests/{wish}/approve/"
    for body in ({"role": "owner"}, {"role": "viewer", "expires_at": "2020-01-01T00:00:00Z"}, {"x": 1}):
        assert manager.post(path, body).status_code == 400
    World.ok(manager.post(path, {"role": "commenter", "expires_at": until.isoformat()}))
    grant = DocumentUserPermission.objects.get(user__uid=uid_of(guest))
    assert (grant.permission.codename, grant.origin, grant.expires_at) == (
        "comment_document",
        "temporary",
        until,
    )


def test_approve_raises_what_the_asker_has(world: World) -> None:
    """A reader who asks to edit edits by the same grant; nobody loses by being approved."""
    document, guest = world.document(), world.client_for()
    granted = world.grant(document, guest, "viewer")
    path = f"documents/{document}/access-requests/"
    World.ok(world.owner.post(f"{path}{asked(guest, document, 'editor')}/approve/", {}))
    grant = DocumentUserPermission.objects.get(user__uid=uid_of(guest))
    assert (str(grant.uid), grant.permission.codename) == (granted["id"], "edit_document")
    wish = asked(guest, document, "manager")
    World.ok(world.owner.post(f"{path}{wish}/approve/", {"role": "viewer"}))
    grant.refresh_from_db()
    assert grant.permission.codename == "edit_document"


def test_ask_tells_nothing(world: World) -> None:
    """Absent, hidden, seen, in the trash: one answer, one list, the same statements."""
    guest = world.client_for()
    seen, hidden, thrown = world.document("Seen"), world.document("Hidden"), world.document("Thrown")
    world.grant(seen, guest, "viewer")
    World.ok(world.act(thrown, "trash"))
    ask(guest, str(uuid.uuid4()))
    counts, bodies = [], []
    for document in (ABSENT, hidden, seen, thrown):
        with CaptureQueriesContext(connection) as captured:
            answer = ask(guest, document)
        counts.append(len(captured))
        assert "Location" not in answer.headers
        bodies.append(
            {key: value for key, value in World.ok(answer, 202).items() if key in {"state", "role"}}
        )
    assert len(set(counts)) == 1
    assert bodies == [{"state": "open", "role": "viewer"}] * 4
    tell()
    listed = World.ok(guest.get(OWN))["results"]
    assert {row["state"] for row in listed if row["document"] != seen} == {"open"}
    assert World.ok(guest.get("jobs/"))["results"] == []


def test_declined_looks_open_and_stays_declined(world: World) -> None:
    """The asker isn't told, and asking again neither shows it nor disturbs anybody."""
    document, guest = world.document("Plan"), world.client_for()
    wish = asked(guest, document)
    path = f"documents/{document}/access-requests/"
    declined = World.ok(world.owner.post(f"{path}{wish}/decline/"))
    assert (declined["decision"], declined["updated_at"] > declined["created_at"]) == ("declined", True)
    assert state(guest) == "open"
    (mine,) = World.ok(guest.get(OWN))["results"]
    assert mine["updated_at"] == mine["created_at"]
    again = World.ok(ask(guest, document, "editor"), 202)
    assert again["updated_at"] > again["created_at"]
    first = World.ok(ask(guest, ABSENT), 202)
    second = World.ok(ask(guest, ABSENT, "editor"), 202)
    assert (again["id"], again["state"], again["role"]) == (wish, "open", "editor")
    assert (second["id"], second["state"], second["role"]) == (first["id"], "open", "editor")
    tell()
    assert told(world.owner) == ["Plan"]
    assert World.ok(world.owner.get(path))["results"] == []
    assert guest.get(f"documents/{document}/").status_code == 404


def test_ask_twice_tells_once(world: World) -> None:
    """A second wish changes the first; one that comes back soon after an answer isn't told again."""
    document, guest = world.document("Plan"), world.client_for()
    first = asked(guest, document)
    assert asked(guest, document, "editor") == first
    assert told(world.owner) == ["Plan"]
    wishes = Event.objects.filter(action="access_request.created")
    assert (asked(guest, document, "editor"), wishes.count()) == (first, 2)
    path = f"documents/{document}/access-requests/"
    World.ok(world.owner.post(f"{path}{first}/approve/", {"role": "viewer"}))
    other = asked(guest, document, "editor")
    assert other != first
    assert told(world.owner) == ["Plan"]
    assert [row["id"] for row in World.ok(world.owner.get(path))["results"]] == [other]


def test_workspace_learns_of_a_wish_once(world: World) -> None:
    """Its timeline and webhooks hear of it, and it is no act of the asker's, who can't see the workspace."""
    document, guest = world.document("Plan"), world.client_for()
    asked(guest, document)
    asked(guest, document, "editor")
    (event,) = Event.objects.filter(action="access_request.received")
    assert (str(event.workspace_uid), event.actor_uid) == (world.workspace, None)
    of_the_asker = Event.objects.filter(actor_uid=guest.user.uid, action__startswith="access_request.")
    assert {row.workspace_uid for row in of_the_asker} == {None}


def test_wish_is_closed_by_a_later_grant(world: World) -> None:
    """On the document, on what stands above, to a team; a weaker one leaves it open."""
    top = world.document("Top")
    leaf, guest = world.document("Leaf", parent=top), world.client_for()
    asked(guest, leaf, "editor")
    granted = world.grant(top, guest, "viewer")
    assert state(guest) == "open"
    World.ok(world.owner.patch(f"documents/{top}/grants/{granted['id']}/", {"role": "editor"}))
    assert state(guest) == "closed"
    other = world.client_for()
    asked(other, leaf)
    team = team_of(other, world.owner)
    body = {"team": str(team.uid), "role": "viewer"}
    World.ok(world.owner.post(f"workspaces/{world.workspace}/members/", body), 201)
    assert state(other) == "closed"


def test_wish_for_what_one_has_is_closed(world: World) -> None:
    """Nobody is asked to grant what is there."""
    document, viewer = world.document(), world.member("viewer")
    asked(viewer, document)
    assert (state(viewer), told(world.owner)) == ("closed", [])


def test_wish_ends_by_itself(world: World) -> None:
    """After its time it is shown as expired, can't be answered, and makes room for another."""
    document, guest = world.document("Plan"), world.client_for()
    wish = asked(guest, document)
    past = timezone.now() - dt.timedelta(seconds=1)
    AccessRequest.objects.update(expires_at=past, told_at=timezone.now() - dt.timedelta(days=14, hours=1))
    path = f"documents/{document}/access-requests/"
    assert state(guest) == "expired"
    assert World.ok(world.owner.get(path))["results"] == []
    assert world.owner.post(f"{path}{wish}/approve/", {}).status_code == 409
    assert asked(guest, document) != wish
    assert state(guest) == "open"
    AccessRequest.objects.update(expires_at=timezone.now() - dt.timedelta(days=101))
    assert access_requests_purge() == 1


def test_answering_is_for_those_who_may_grant(world: World) -> None:
    """Editors and strangers don't; nor by the path of another document; nor above the own role."""
    document, other, guest = world.document(), world.document("Other"), world.client_for()
    wish, editor = asked(guest, document), world.member("editor")
    for act in ("approve", "decline"):
        path = f"documents/{document}/access-requests/{wish}/{act}/"
        body = {} if act == "approve" else None
        assert editor.post(path, body).status_code == 403
        assert guest.post(path, body).status_code == 404
        assert world.owner.post(path.replace(document, other), body).status_code == 404
        assert world.owner.post(path.replace(wish, ABSENT), body).status_code == 404
    World.ok(world.act(document, "trash"))
    assert world.owner.post(f"documents/{document}/access-requests/{wish}/decline/").status_code == 410


@pytest.mark.parametrize(
    "body", [{}, {"role": "owner"}, {"role": 1}, {"role": "viewer", "message": "x" * 501}]
)
def test_ask_with_bad_input(world: World, body: dict[str, Any]) -> None:
    """A role that documents know and a short message; the same for every id."""
    guest = world.client_for()
    for document in (world.document(), ABSENT):
        assert guest.post(f"documents/{document}/access-requests/", body).status_code == 400


def test_asker_has_so_many_open_at_once(world: World) -> None:
    """Beyond a hundred it is 429, for each id alike; one of them can still be changed."""
    guest, now = world.client_for(), timezone.now()
    assert guest.user
    known = [uuid.uuid4() for _ in range(100)]
    AccessRequest.objects.bulk_create(
        AccessRequest(
            document_uid=uid, asker=guest.user, role="viewer", expires_at=now + dt.timedelta(days=1)
        )
        for uid in known
    )
    for document in (world.document(), ABSENT):
        answer = ask(guest, document)
        assert (answer.status_code, answer.json()["code"]) == (429, "access_requests_spent")
    assert ask(guest, str(known[0]), "editor").status_code == 202


def test_wishes_of_a_purged_document_stay_the_askers(world: World) -> None:
    """That a document was removed for good isn't seen in the list."""
    document, guest = world.document(), world.client_for()
    asked(guest, document)
    World.ok(world.act(document, "trash"))
    assert world.owner.delete(f"documents/{document}/").status_code == 204
    assert state(guest) == "open"


def test_wishes_ask_as_much_for_many(world: World) -> None:
    """Sign-in, document and rows; own ones without the document."""
    document = world.document()
    for _ in range(3):
        asked(world.client_for(), document)
    path = f"documents/{document}/access-requests/"
    world.owner.get(path)
    with statements(3):
        assert len(World.ok(world.owner.get(path))["results"]) == 3
    with statements(2):
        World.ok(world.owner.get(OWN))


@pytest.mark.django_db(transaction=True)
def test_ask_at_once_is_one_wish(client_for: Callable[..., ApiClient]) -> None:
    """The asker's row makes them wait for each other."""
    world = World(client_for)
    document, guest = world.document(), world.client_for()
    answers = at_once([lambda: ask(guest, document)] * 4)
    assert [answer.status_code for answer in answers] == [202] * 4
    assert len({answer.json()["id"] for answer in answers}) == 1


@pytest.mark.django_db(transaction=True)
def test_two_answers_at_once(client_for: Callable[..., ApiClient]) -> None:
    """One is given, the other comes too late."""
    world = World(client_for)
    document, guest = world.document(), world.client_for()
    path = f"documents/{document}/access-requests/{asked(guest, document)}/"
    answers = at_once(
        [lambda: world.owner.post(f"{path}approve/", {}), lambda: world.owner.post(f"{path}decline/")]
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    decided = AccessRequest.objects.get().decision
    assert DocumentUserPermission.objects.count() == (decided == "approved")


def test_wishes_are_part_of_ones_export(world: World) -> None:
    """As their asker sees them, whether they were declined or lead nowhere."""
    document, guest = world.document(), world.client_for()
    wish = asked(guest, document, message="Please")
    World.ok(world.owner.post(f"documents/{document}/access-requests/{wish}/decline/"))
    ask(guest, ABSENT)
    assert guest.user
    parts = dict(DocumentExports().parts(service_actor(guest.user)))
    rows = json.loads(b"".join(parts["access-requests.json"]))
    assert [(row["document"], row["state"]) for row in rows] == [(document, "open"), (ABSENT, "open")]
