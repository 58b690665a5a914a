"""GET and DELETE me/sessions/, POST auth/logout/."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from django.db.models import F
from django.db.models.functions import Now

from accounts.caching import last_uses
from accounts.models import Session
from audit.models import Event
from tests.accounts.factories import user_make


def test_sessions_lists_own_live_ones_newest_first(client_for: Any, django_assert_num_queries: Any) -> None:
    """Two statements: sign-in, page. Others' and ended ones don't show."""
    user = user_make()
    first, second = client_for(user), client_for(user)
    ended = client_for(user)
    ended.post("auth/logout/")
    client_for(user_make())
    with django_assert_num_queries(2):
        answer = second.get("me/sessions/")
    found = answer.json()["results"]
    assert [row["id"] for row in found] == [str(client.credentials.session.uid) for client in (second, first)]
    assert [row["current"] for row in found] == [True, False]
    assert {"id", "kind", "device", "address", "created_at", "last_used_at", "current"} <= set(found[0])
    assert found[0]["updated_at"] == found[0]["last_used_at"]
    assert (found[0]["kind"], found[0]["address"], found[0]["device"]) == ("user", "127.0.0.1", "tests")


def test_sessions_revoked_one_fails_on_the_next_request(client_for: Any) -> None:
    """DELETE ends a session at once and leaves the others."""
    user = user_make()
    here, there = client_for(user), client_for(user)
    assert here.delete(f"me/sessions/{there.credentials.session.uid}/").status_code == 204
    answer = there.get("me/")
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert here.get("me/").status_code == 200
    assert Event.objects.get(action="session.revoked").target_uid == there.credentials.session.uid


@pytest.mark.usefixtures("redis_gone")
def test_sessions_revocation_needs_no_redis(client_for: Any) -> None:
    """With Redis gone a revoked session is as dead."""
    client = client_for()
    assert client.post("auth/logout/").status_code == 204
    assert client.get("me/").status_code == 401


@pytest.mark.parametrize(
    "over",
    [{"expires_at": Now()}, {"last_used_at": Now() - F("idle_lifetime")}],
    ids=["absolute", "idle"],
)
def test_sessions_end_at_their_moment(client_for: Any, anonymous: Any, over: dict[str, Any]) -> None:
    """Used or not, without a job that ends them: neither the access token nor the refresh token holds."""
    client = client_for()
    Session.objects.update(**over)
    assert client.get("me/").status_code == 401
    answer = anonymous.post("auth/refresh/", {"refresh": client.credentials.refresh})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_refresh_token")
    assert Session.objects.get().revoked_at is None


def test_sessions_of_others_and_absent_ones_are_404(client_for: Any) -> None:
    """Somebody else's session and none at all are the same answer, and theirs lives on."""
    mine, theirs = client_for(), client_for()
    hidden = mine.delete(f"me/sessions/{theirs.credentials.session.uid}/")
    absent = mine.delete(f"me/sessions/{uuid.uuid4()}/")
    own = ("request_id", "instance")
    assert hidden.status_code == absent.status_code == 404
    assert {k: v for k, v in hidden.json().items() if k not in own} == {
        k: v for k, v in absent.json().items() if k not in own
    }
    assert theirs.get("me/").status_code == 200


def test_sessions_delete_all_keeps_the_one_at_hand(client_for: Any) -> None:
    """DELETE on the list ends all others; each has its event."""
    user = user_make()
    clients = [client_for(user) for _ in range(3)]
    other = client_for()
    assert clients[0].delete("me/sessions/").status_code == 204
    assert [client.get("me/").status_code for client in clients] == [200, 401, 401]
    assert other.get("me/").status_code == 200
    assert Event.objects.filter(action="session.revoked").count() == 2


def test_logout_ends_the_session_and_its_refresh_token(client_for: Any, anonymous: Any) -> None:
    """After signing out neither token works, and a second time is 401."""
    client = client_for()
    assert client.post("auth/logout/").status_code == 204
    assert anonymous.post("auth/refresh/", {"refresh": client.credentials.refresh}).status_code == 401
    assert client.post("auth/logout/").status_code == 401


def test_sessions_last_use_is_written_behind(client_for: Any) -> None:
    """A use is noted when the last one is a minute old, and written by the timer."""
    client = client_for()
    client.get("me/")
    last_uses.flush()
    before = Session.objects.get().last_used_at
    Session.objects.update(last_used_at=before.replace(year=before.year - 1), idle_lifetime="400 days")
    client.get("me/")
    last_uses.flush()
    assert Session.objects.get().last_used_at > before
