"""users/{id}/roles/: who gives and takes platform roles."""

from __future__ import annotations

import datetime as dt
import threading
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.utils import timezone

from accounts.models import Session, User
from accounts.roles import ADMINISTRATOR, ROLES, roles_of
from audit.models import Event
from tests.accounts.factories import user_make
from tests.fixtures import ApiClient, client_make

pytestmark = pytest.mark.django_db


def administrator() -> ApiClient:
    """A client of a person in the role `administrator`, who is no superuser."""
    return client_make(user_make(role=ADMINISTRATOR))


@pytest.fixture
def boss() -> ApiClient:
    """An administrator."""
    return administrator()


def path(user: User | uuid.UUID | None, role: str = "") -> str:
    """The address of somebody's roles or of one of them."""
    uid = user.uid if isinstance(user, User) else user
    return f"users/{uid}/roles/" + (f"{role}/" if role else "")


def clerk() -> ApiClient:
    """Somebody who may give roles and holds nothing else but what a member does."""
    user = user_make()
    group = Group.objects.create(name="role:test-clerk")
    group.permissions.add(Permission.objects.get(codename="assign_roles"))
    user.groups.add(group)
    return client_make(user)


def test_list_shows_roles_with_what_they_give(boss: ApiClient, django_assert_num_queries: Any) -> None:
    """Six statements: sign-in, permissions, person, roles, what they give, which apps that is of."""
    user = user_make()
    boss.post(path(user), {"role": "operator"})
    with django_assert_num_queries(6):
        answer = boss.get(path(user))
    rows = answer.json()["results"]
    assert [row["role"] for row in rows] == ["member", "operator"]
    assert "documents.add_workspace" in rows[0]["permissions"]
    assert "jobs.manage_jobs" in rows[1]["permissions"]


def test_give_holds_on_the_next_request(boss: ApiClient) -> None:
    """201 with the role at its address; the person can at once what the role gives."""
    client = client_make()
    assert client.get("audit/events/").status_code == 403
    answer = boss.post(path(client.user), {"role": "auditor"})
    assert (answer.status_code, answer.json()["role"]) == (201, "auditor")
    assert boss.get(answer.headers["Location"]).json()["role"] == "auditor"
    assert client.get("audit/events/").status_code == 200
    event = Event.objects.get(action="role.given")
    assert client.user
    assert event.target_uid == client.user.uid
    assert event.detail.content["changes"] == {"role": {"before": None, "after": "auditor"}}


@pytest.mark.usefixtures("redis_gone")
def test_take_holds_on_the_next_request_without_redis(boss: ApiClient) -> None:
    """204, and what the role gave is gone."""
    client = client_make(user_make(role="auditor"))
    assert client.get("audit/events/").status_code == 200
    assert boss.delete(path(client.user, "auditor")).status_code == 204
    assert client.get("audit/events/").status_code == 403
    assert Event.objects.filter(action="role.taken").count() == 1


def test_give_twice_and_take_what_is_not_there(boss: ApiClient) -> None:
    """409 and 404, without an event."""
    user = user_make()
    answer = boss.post(path(user), {"role": "member"})
    assert (answer.status_code, answer.json()["code"]) == (409, "role_exists")
    assert boss.delete(path(user, "operator")).status_code == 404
    assert boss.delete(path(user, "none-such")).status_code == 404
    assert boss.get(path(user, "operator")).status_code == 404
    assert not Event.objects.filter(action__startswith="role.").exists()


@pytest.mark.parametrize(
    "body", [{}, {"role": "root"}, {"role": "role:member"}, {"role": 1}, {"is_superuser": True}]
)
def test_give_with_bad_input(boss: ApiClient, body: dict[str, Any]) -> None:
    """Only the roles that there are; nothing else of a person can be set."""
    assert boss.post(path(user_make()), body).status_code == 400


def test_roles_of_the_absent_are_not_found(boss: ApiClient) -> None:
    """One 404 for each method."""
    absent = uuid.uuid4()
    assert boss.get(path(absent)).status_code == 404
    assert boss.post(path(absent), {"role": "guest"}).status_code == 404
    assert boss.delete(path(absent, "guest")).status_code == 404


@pytest.mark.parametrize("role", [name for name in ROLES if name not in {"guest", "member"}])
def test_give_and_take_above_the_own_permissions_is_forbidden(role: str) -> None:
    """Nobody gives or takes permissions that they don't hold: not to others, not to themselves."""
    client, holder = clerk(), user_make(role=role)
    assert client.post(path(client.user), {"role": role}).status_code == 403
    assert client.post(path(user_make()), {"role": role}).status_code == 403
    assert client.delete(path(holder, role)).status_code == 403
    assert roles_of(holder) == [role]
    assert client.post(path(holder), {"role": "guest"}).status_code == 201


def test_roles_need_the_permission_and_a_fresh_proof(boss: ApiClient) -> None:
    """A member gives nothing; an administrator whose sign-in is old is asked again."""
    member = client_make()
    assert member.post(path(member.user), {"role": ADMINISTRATOR}).status_code == 403
    assert member.get(path(member.user)).status_code == 403
    Session.objects.update(authenticated_at=timezone.now() - dt.timedelta(hours=1))
    for answer in (boss.post(path(member.user), {"role": "guest"}), boss.delete(path(member.user, "member"))):
        assert (answer.status_code, answer.json()["code"]) == (403, "reauth_required")
    assert boss.get(path(member.user)).status_code == 200


def test_take_from_the_last_administrator(boss: ApiClient) -> None:
    """The last active one stays; with a second one anybody may go, oneself too."""
    off = user_make(role=ADMINISTRATOR, is_active=False)
    assert boss.delete(path(off, ADMINISTRATOR)).status_code == 204
    answer = boss.delete(path(boss.user, ADMINISTRATOR))
    assert (answer.status_code, answer.json()["code"]) == (409, "last_administrator")
    administrator()
    assert boss.delete(path(boss.user, ADMINISTRATOR)).status_code == 204
    assert boss.get(path(boss.user)).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_take_from_each_other_leaves_one_administrator() -> None:
    """Two at once don't both find the other one left, nor may who has just lost the role."""
    pair = [administrator(), administrator()]
    start, statuses = threading.Barrier(2), []

    def take(client: ApiClient, other: ApiClient) -> None:
        start.wait(5)
        statuses.append(client.delete(path(other.user, ADMINISTRATOR)).status_code)
        connection.close()

    threads = [threading.Thread(target=take, args=args) for args in (pair, pair[::-1])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert min(statuses) == 204
    assert max(statuses) in {403, 409}
    assert User.objects.filter(groups__name="role:administrator").count() == 1
