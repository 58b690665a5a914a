"""POST auth/refresh/: rotation, grace, reuse."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from django.db import connection
from django.db.models import F

from accounts.models import Session, User
from accounts.refresh_tokens import RefreshToken
from audit.models import Event
from cloudscribe.jobs.models import Job
from tests.accounts.factories import user_make
from tests.fixtures import ApiClient


def refresh(client: Any, token: str) -> Any:
    """One use of a refresh token."""
    return client.post("auth/refresh/", {"refresh": token})


def age_rotation(seconds: int) -> None:
    """Let the last rotation lie further back."""
    Session.objects.update(rotated_at=F("rotated_at") - dt.timedelta(seconds=seconds))


def test_refresh_gives_the_next_pair(client_for: Any, anonymous: Any) -> None:
    """The answer is that of a sign-in; the new access token works at once."""
    client = client_for()
    answer = refresh(anonymous, client.credentials.refresh)
    assert answer.status_code == 200
    body = answer.json()
    assert set(body) == {"access", "refresh", "access_expires_in", "session", "user"}
    assert body["refresh"] != client.credentials.refresh
    assert ApiClient(body["access"]).get("me/").status_code == 200


def test_refresh_again_within_the_grace_gives_the_same(client_for: Any, anonymous: Any) -> None:
    """A client that lost the answer asks again and gets the same successor."""
    client = client_for()
    first = refresh(anonymous, client.credentials.refresh).json()
    again = refresh(anonymous, client.credentials.refresh)
    assert again.status_code == 200
    assert again.json()["refresh"] == first["refresh"]
    assert refresh(anonymous, first["refresh"]).status_code == 200


def test_refresh_use_of_the_access_token_leaves_the_grace(client_for: Any, anonymous: Any) -> None:
    """Only the successor's refresh token ends the grace, its access token doesn't."""
    client = client_for()
    first = refresh(anonymous, client.credentials.refresh).json()
    ApiClient(first["access"]).get("me/")
    assert refresh(anonymous, client.credentials.refresh).status_code == 200


def test_refresh_after_the_successor_was_used_ends_the_session(client_for: Any, anonymous: Any) -> None:
    """A token behind the live one is a copy: the family ends, its owner is told, the trail has it."""
    client = client_for()
    first = refresh(anonymous, client.credentials.refresh).json()
    second = refresh(anonymous, first["refresh"]).json()
    stolen = refresh(anonymous, client.credentials.refresh)
    assert (stolen.status_code, stolen.json()["code"]) == (401, "invalid_refresh_token")
    assert refresh(anonymous, second["refresh"]).status_code == 401
    assert ApiClient(second["access"]).get("me/").status_code == 401
    event = Event.objects.get(action="session.revoked")
    assert event.target_uid == client.credentials.session.uid
    assert Job.objects.filter(kind="mail.send", payload__message="session_reused").count() == 1


def test_refresh_after_the_grace_ends_the_session(client_for: Any, anonymous: Any) -> None:
    """The grace ends by the database's clock."""
    client = client_for()
    first = refresh(anonymous, client.credentials.refresh).json()
    age_rotation(61)
    assert refresh(anonymous, client.credentials.refresh).status_code == 401
    assert refresh(anonymous, first["refresh"]).status_code == 401


def test_refresh_wrong_tag_touches_nothing(client_for: Any, anonymous: Any) -> None:
    """A token with a bad tag is nobody's: the session that it names lives on."""
    client = client_for()
    good = client.credentials.refresh
    bad = good[:-1] + ("A" if good[-1] != "A" else "B")
    assert refresh(anonymous, bad).status_code == 401
    assert refresh(anonymous, good).status_code == 200


def test_refresh_token_ahead_of_the_live_one_touches_nothing(client_for: Any, anonymous: Any) -> None:
    """A good tag with a counter ahead (the database was restored) is refused and ends nothing."""
    client = client_for()
    token = RefreshToken.parse(client.credentials.refresh)
    assert token
    ahead = token.successor(token.kid).successor(token.kid)
    assert refresh(anonymous, str(ahead)).status_code == 401
    assert refresh(anonymous, client.credentials.refresh).status_code == 200


@pytest.mark.parametrize("ended", ["revoked", "expired", "idle", "suspended"])
def test_refresh_of_an_ended_session_is_refused(client_for: Any, anonymous: Any, ended: str) -> None:
    """A session ends by revocation, by its age, by disuse and with its user."""
    client = client_for()
    day = dt.timedelta(days=1)
    changes: dict[str, dict[str, Any]] = {
        "revoked": {"revoked_at": F("created_at"), "revoked_reason": "test"},
        "expired": {"expires_at": F("created_at") - day},
        "idle": {"last_used_at": F("last_used_at") - F("idle_lifetime") - day},
        "suspended": {},
    }
    Session.objects.update(**changes[ended])
    User.objects.update(is_active=ended != "suspended")
    assert refresh(anonymous, client.credentials.refresh).status_code == 401
    assert client.get("me/").status_code == 401


@pytest.mark.parametrize("text", ["x", "a.b.c.d.e", "k." + "0" * 32 + ".0." + "A" * 43 + "." + "A" * 43])
def test_refresh_nonsense_is_refused(anonymous: Any, text: str) -> None:
    """Whatever isn't ours is 401."""
    assert refresh(anonymous, text).status_code == 401


def test_refresh_of_a_staff_session_is_refused(client_for: Any, anonymous: Any) -> None:
    """The admin's sessions have no refresh tokens."""
    client = client_for()
    Session.objects.update(kind="admin")
    assert refresh(anonymous, client.credentials.refresh).status_code == 401


@pytest.mark.usefixtures("redis_gone")
def test_refresh_works_without_redis(client_for: Any, anonymous: Any) -> None:
    """Sessions live in PostgreSQL."""
    assert refresh(anonymous, client_for().credentials.refresh).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_refresh_many_that_race_end_with_one_live_token(client_for: Any) -> None:
    """Of many that use one token at the same time all get the same successor."""
    client = client_for(user_make())
    start = threading.Barrier(16)
    found: list[str] = []

    def use() -> None:
        try:
            start.wait(timeout=20)
            found.append(refresh(ApiClient(), client.credentials.refresh).json().get("refresh", "refused"))
        finally:
            connection.close()

    threads = [threading.Thread(target=use) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 16
    assert len(set(found)) == 1
    assert Session.objects.get().counter == 1
    assert refresh(ApiClient(), found[0]).status_code == 200
