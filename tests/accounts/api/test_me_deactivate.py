"""POST me/deactivate/: people close their own accounts."""

from __future__ import annotations

import datetime as dt
import threading

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Session, User
from accounts.roles import ADMINISTRATOR
from audit.models import Event
from tests.accounts.factories import token_make, user_make
from tests.accounts.leaving import leaving_ends_all
from tests.documents.world import World, uid_of
from tests.fixtures import ApiClient, client_make

pytestmark = pytest.mark.django_db
PATH = "me/deactivate/"


def test_deactivate_holds_on_the_next_request() -> None:
    """With Redis up."""
    leaving_ends_all(lambda client: client.post(PATH))


@pytest.mark.usefixtures("redis_gone")
def test_deactivate_holds_without_redis() -> None:
    """With Redis gone."""
    leaving_ends_all(lambda client: client.post(PATH))


@pytest.mark.usefixtures("redis_hung")
def test_deactivate_holds_while_redis_hangs() -> None:
    """With a Redis that answers nothing."""
    leaving_ends_all(lambda client: client.post(PATH))


def test_deactivate_writes_one_event_of_the_person() -> None:
    """Beside the ends of the session and the token."""
    client = client_make()
    token_make(client.user)
    client.post(PATH)
    found = Event.objects.filter(actor_uid=uid_of(client)).values_list("action", flat=True)
    assert sorted(found) == ["session.created", "session.revoked", "token.revoked", "user.deactivated"]
    user = User.objects.get(uid=uid_of(client))
    assert user.deactivated_at is not None
    assert (user.suspended_at, user.deleted_at) == (None, None)


def test_deactivate_needs_a_fresh_proof_and_a_session() -> None:
    """An old sign-in doesn't do, nor does any token; neither does a body with properties."""
    client = client_make()
    assert client.post(PATH, {"now": True}).json()["code"] == "unknown_property"
    assert ApiClient(token_make(client.user)).post(PATH).json()["code"] == "missing_scope"
    Session.objects.update(authenticated_at=timezone.now() - dt.timedelta(hours=1))
    assert client.post(PATH).json()["code"] == "reauth_required"
    assert client.get("me/").status_code == 200


def test_deactivate_by_the_last_owner_names_the_workspaces() -> None:
    """Who owns alone stays until somebody else owns, too; an owner for a time doesn't count."""
    world = World(client_make)
    second = world.member("editor")
    later = (timezone.now() + dt.timedelta(days=1)).isoformat()
    assert world.add(second, "owner", expires_at=later).status_code == 201
    answer = world.owner.post(PATH)
    assert (answer.status_code, answer.json()["code"]) == (409, "last_owner")
    assert answer.json()["workspaces"] == [{"id": world.workspace, "name": "World"}]
    assert world.owner.get("me/").status_code == 200
    world.ok(world.add(world.client_for(), "owner"), 201)
    assert world.owner.post(PATH).status_code == 204


def test_deactivate_by_the_last_administrator_is_refused() -> None:
    """Somebody must be left who can let others in."""
    boss, other = (client_make(user_make(role=ADMINISTRATOR)) for _ in range(2))
    assert boss.post(PATH).status_code == 204
    answer = other.post(PATH)
    assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")


def test_unsuspend_lets_a_closed_account_in_again() -> None:
    """It clears both ways of being kept out; tokens that ended stay ended."""
    boss, client = client_make(user_make(role=ADMINISTRATOR)), client_make()
    token = ApiClient(token_make(client.user))
    client.post(PATH)
    path = f"users/{uid_of(client)}/"
    assert boss.get(path).json()["deactivated_at"] is not None
    assert boss.post(path + "suspend/").status_code == 200
    body = boss.post(path + "unsuspend/").json()
    assert (body["is_active"], body["deactivated_at"], body["suspended_at"]) == (True, None, None)
    assert client_make(client.user).get("me/").status_code == 200
    assert token.get("me/").status_code == 401


@pytest.mark.django_db(transaction=True)
def test_two_owners_who_leave_at_once_leave_one() -> None:
    """One of them goes, the other one is the last owner by then."""
    world = World(client_make)
    second = world.member("owner")
    answers: list[int] = []

    def leave(client: ApiClient) -> None:
        answers.append(client.post(PATH).status_code)
        connection.close()

    threads = [threading.Thread(target=leave, args=(client,)) for client in (world.owner, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [204, 409]
