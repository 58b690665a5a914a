"""`documents/{id}/owner-override/` and `break-glass/`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Notification, Session
from accounts.services import admin_create
from audit.models import Event
from documents.models import DocumentUserPermission
from tests.accounts.factories import PASSWORD, user_make
from tests.actors import command
from tests.documents.api.test_editing_races import at_once
from tests.documents.world import ABSENT, World, uid_of
from tests.fixtures import ApiClient, Once, client_make

REASON = {"reason": "The author left without a word."}
Closed = tuple[World, ApiClient, str]


@pytest.fixture(scope="module")
def new_closed(once: Once) -> Callable[[], Closed]:
    """Makes a world, a manager, and a draft that nobody but the manager sees."""

    def make() -> Closed:
        world = World(client_make)
        manager = world.member("manager")
        return world, manager, world.document("Secret", by=manager, state="draft")

    return once(make)


@pytest.fixture
def closed(new_closed: Callable[[], Closed], as_made: None) -> Closed:
    """They, as if no other test had been there."""
    return new_closed()


@pytest.fixture
def inspector(client_for: Callable[..., ApiClient]) -> ApiClient:
    """Somebody who may break the glass."""
    return client_for(user_make(role="inspector"))


def told(person: ApiClient) -> list[tuple[str, Any]]:
    """What somebody's inbox holds, by kind and title."""
    rows = World.ok(person.get("me/notifications/"))["results"]
    return [(row["kind"], row["target"] and row["target"]["title"]) for row in rows]


def test_override_opens_a_cut_for_an_hour(closed: Closed) -> None:
    """The owner manages it from the next request on, until the hour is over; once more renews."""
    world, _, document = closed
    assert world.owner.get(f"documents/{document}/").status_code == 404
    before = timezone.now()
    answer = world.owner.post(f"documents/{document}/owner-override/", REASON)
    made = World.ok(answer, 201)
    assert answer.headers["Location"].endswith(f"/documents/{document}/")
    assert (made["role"], made["origin"], made["reason"]) == ("manager", "override", REASON["reason"])
    ends = dt.datetime.fromisoformat(made["expires_at"])
    assert dt.timedelta(minutes=59) < ends - before < dt.timedelta(minutes=61)
    assert World.ok(world.owner.get(f"documents/{document}/"))["abilities"]["grant"] is True
    renewed = World.ok(world.owner.post(f"documents/{document}/owner-override/", {"reason": "Still."}), 200)
    assert (renewed["id"], renewed["reason"]) == (made["id"], "Still.")
    assert renewed["expires_at"] > made["expires_at"]
    DocumentUserPermission.objects.filter(origin="override").update(
        expires_at=timezone.now() - dt.timedelta(seconds=1)
    )
    assert world.owner.get(f"documents/{document}/").status_code == 404
    again = World.ok(world.owner.post(f"documents/{document}/owner-override/", REASON), 201)
    assert again["id"] != made["id"]


def test_override_is_told_and_on_the_record(closed: Closed) -> None:
    """The document's owner and managers are told with the reason; the event holds it, too."""
    world, manager, document = closed
    World.ok(world.owner.post(f"documents/{document}/owner-override/", REASON), 201)
    assert told(manager)[0] == ("access.overridden", "Secret")
    assert Notification.objects.get(user__uid=uid_of(manager), kind="access.overridden").facts == {
        "role": "manager",
        "reason": REASON["reason"],
    }
    event = Event.objects.get(action="document.overridden")
    assert (str(event.target_uid), event.facts["subjects"]) == (document, [uid_of(world.owner)])
    assert event.detail.content["reason"] == REASON["reason"]


def test_override_by_anybody_else_is_not_found(closed: Closed) -> None:
    """Managers, strangers, owners of another workspace, staff: the answer for what is absent."""
    world, manager, document = closed
    stranger = world.client_for()
    boss, _ = admin_create(actor=command(), email="boss@example.org", password=PASSWORD)
    elsewhere = World(world.client_for).owner
    for person in (manager, stranger, world.client_for(boss), elsewhere):
        answer, absent = (
            person.post(f"documents/{uid}/owner-override/", REASON) for uid in (document, ABSENT)
        )
        assert (answer.status_code, absent.status_code) == (404, 404)
        assert {**answer.json(), "instance": "", "request_id": ""} == {
            **absent.json(),
            "instance": "",
            "request_id": "",
        }
    assert not DocumentUserPermission.objects.filter(origin="override").exists()


def test_override_of_what_is_open_anyway(world: World) -> None:
    """Who manages a document needs none, and leaves no record of one."""
    document = world.document()
    answer = world.owner.post(f"documents/{document}/owner-override/", REASON)
    assert (answer.status_code, answer.json()["code"]) == (409, "access_held")
    assert not Event.objects.filter(action="document.overridden").exists()


@pytest.mark.parametrize(
    "body", [{}, {"reason": ""}, {"reason": "x" * 501}, {"reason": 1}, {"role": "owner"}]
)
def test_override_needs_a_reason(closed: Closed, body: dict[str, Any]) -> None:
    """A text of up to 500 characters, and nothing else."""
    world, _, document = closed
    assert world.owner.post(f"documents/{document}/owner-override/", body).status_code == 400


def test_break_glass_reads_for_an_hour(closed: Closed, inspector: ApiClient) -> None:
    """A reader and no more, told to the managers, on the record, renewed by a second one."""
    _, manager, document = closed
    assert inspector.get(f"documents/{document}/").status_code == 404
    made = World.ok(inspector.post(f"documents/{document}/break-glass/", REASON), 201)
    assert (made["role"], made["origin"]) == ("viewer", "break_glass")
    abilities = World.ok(inspector.get(f"documents/{document}/"))["abilities"]
    assert (abilities["see"], abilities["edit"], abilities["grant"]) == (True, False, False)
    assert told(manager)[0] == ("access.glass_broken", "Secret")
    assert Event.objects.get(action="document.glass_broken").detail.content["reason"] == REASON["reason"]
    assert World.ok(inspector.post(f"documents/{document}/break-glass/", REASON), 200)["id"] == made["id"]
    assert inspector.delete(f"documents/{document}/grants/{made['id']}/").status_code == 204
    assert inspector.get(f"documents/{document}/").status_code == 404


def test_break_glass_without_the_permission_is_not_found(closed: Closed) -> None:
    """Owners, superusers, strangers, however lately they signed in."""
    world, manager, document = closed
    boss, _ = admin_create(actor=command(), email="boss@example.org", password=PASSWORD)
    Session.objects.update(authenticated_at=timezone.now() - dt.timedelta(hours=1))
    for person in (world.owner, manager, world.client_for(), world.client_for(boss)):
        assert person.post(f"documents/{document}/break-glass/", REASON).status_code == 404


def test_break_glass_needs_a_fresh_proof(closed: Closed, inspector: ApiClient) -> None:
    """An old sign-in is asked again, for what is there as for what isn't."""
    _, _, document = closed
    Session.objects.update(authenticated_at=timezone.now() - dt.timedelta(hours=1))
    for uid in (document, ABSENT):
        answer = inspector.post(f"documents/{uid}/break-glass/", REASON)
        assert (answer.status_code, answer.json()["code"]) == (403, "reauth_required")


def test_break_glass_of_what_is_open_or_in_the_trash(closed: Closed, inspector: ApiClient) -> None:
    """There is nothing to break."""
    world, _, _ = closed
    shared, thrown = world.document("Shared"), world.document("Thrown")
    world.grant(shared, inspector, "viewer")
    World.ok(world.act(thrown, "trash"))
    answer = inspector.post(f"documents/{shared}/break-glass/", REASON)
    assert (answer.status_code, answer.json()["code"]) == (409, "access_held")
    assert inspector.post(f"documents/{thrown}/break-glass/", REASON).status_code == 410
    assert inspector.post(f"documents/{ABSENT}/break-glass/", REASON).status_code == 404


def test_break_glass_ends_with_the_role(closed: Closed, inspector: ApiClient) -> None:
    """Whoever is no inspector any more opens nothing further."""
    _, _, document = closed
    assert inspector.user
    inspector.user.groups.clear()
    assert inspector.post(f"documents/{document}/break-glass/", REASON).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_override_twice_at_once_is_one_grant(client_for: Callable[..., ApiClient]) -> None:
    """The document's row makes the second wait, and renew."""
    world = World(client_for)
    document = world.document("Secret", by=world.member("manager"), state="draft")
    path = f"documents/{document}/owner-override/"
    answers = at_once([lambda: world.owner.post(path, REASON)] * 4)
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 201]
    assert DocumentUserPermission.objects.filter(origin="override").count() == 1


def test_override_reaches_into_the_trash(closed: Closed) -> None:
    """What a manager threw away of their own is not lost to the workspace: its owner brings it back."""
    world, manager, document = closed
    World.ok(world.act(document, "trash", manager))
    assert world.act(document, "restore").status_code == 404
    World.ok(world.owner.post(f"documents/{document}/owner-override/", REASON), 201)
    assert world.owner.get(f"documents/{document}/").status_code == 410
    assert World.ok(world.act(document, "restore"))["title"] == "Secret"
