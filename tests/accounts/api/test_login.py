"""POST auth/login/."""

from __future__ import annotations

import datetime as dt
import threading
from typing import Any

import pytest
from argon2 import PasswordHasher
from django.db import connection
from django.db.models import F

from accounts.models import Session, SignInFailure, User
from accounts.services import limiter
from audit.models import Event
from tests.accounts.factories import PASSWORD, user_make
from tests.fixtures import ApiClient

WRONG = "not-the-password-77"


def login(client: Any, email: str, password: str = PASSWORD) -> Any:
    """One try."""
    return client.post("auth/login/", {"email": email, "password": password})


def test_login_member_right_password(anonymous: Any) -> None:
    """The right password gives both tokens, the session and the person, in any spelling of the address."""
    user = user_make("Ann@Example.org", name="Ann")
    answer = login(anonymous, "ann@example.ORG")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    assert set(body) == {"access", "refresh", "access_expires_in", "session", "user"}
    assert body["access_expires_in"] == 600
    assert body["user"]["id"] == str(user.uid)
    assert body["user"]["roles"] == ["member"]
    assert body["session"]["current"] is True
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize("who", ["unknown", "wrong_password", "suspended", "service"])
def test_login_refused_alike(anonymous: Any, who: str) -> None:
    """Unknown, wrong, suspended: one answer, that tells none from the other."""
    user = user_make("ann@example.org")
    User.objects.filter(pk=user.pk).update(is_active=who != "suspended")
    if who == "service":
        User.objects.filter(pk=user.pk).update(kind="service")
    email = "nobody@example.org" if who == "unknown" else user.email
    answer = login(anonymous, email, WRONG if who == "wrong_password" else PASSWORD)
    assert answer.status_code == 401
    body = answer.json()
    assert (body["code"], body["error_type"]) == ("invalid_credentials", "AuthError")
    assert body["detail"] == "The address or the password is wrong."
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.django_db
def test_login_failed_is_an_event_without_what_was_typed() -> None:
    """A failed sign-in that passed the limiter is in the trail; what was typed as address isn't."""
    # An address of its own: repeats from one address within a minute are written together later.
    login(ApiClient(REMOTE_ADDR="192.0.2.66"), "my-password-by-mistake@example.org", WRONG)
    event = Event.objects.get(action="login.failed")
    assert event.actor_uid is None
    assert "mistake" not in event.detail.body


def test_login_success_is_an_event_of_the_session(anonymous: Any) -> None:
    """A new session is in the trail, by its user."""
    user = user_make()
    body = login(anonymous, user.email).json()
    event = Event.objects.get(action="session.created")
    assert str(event.target_uid) == body["session"]["id"]
    assert event.actor_uid == user.uid


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"password": "x"}, "/email", "required"),
        ({"email": "a@b.org", "password": 7}, "/password", "invalid"),
        ({"email": "a@b.org", "password": "x", "otp2": "1"}, "/otp2", "unknown_property"),
        ({"email": "a@b.org", "password": "x" * 2000}, "/password", "max_length"),
        ({"email": None, "password": "x"}, "/email", "null"),
    ],
)
def test_login_bad_body_is_refused_by_name(
    anonymous: Any, body: dict[str, Any], pointer: str, code: str
) -> None:
    """What is wrong with the body is named, and no try is counted."""
    answer = anonymous.post("auth/login/", body)
    assert answer.status_code == 400
    assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [(pointer, code)]
    assert not SignInFailure.objects.exists()


def test_login_pair_is_limited_before_the_hash(anonymous: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """After ten wrong passwords for one account from one address nothing is hashed, the right one neither."""
    user = user_make()
    attempt = limiter.attempt_open(email_key=user.email_key, address="127.0.0.1")
    SignInFailure.objects.bulk_create(
        [SignInFailure(account=attempt.account, source=attempt.source) for _ in range(limiter.PAIR_LIMIT - 1)]
    )
    monkeypatch.setattr("accounts.services.sessions.password_matches", lambda *_: pytest.fail("hashed"))
    answer = login(anonymous, user.email)
    assert answer.status_code == 429
    assert (answer.json()["code"], answer.json()["error_type"]) == ("sign_in_limited", "AuthError")
    assert 0 < int(answer.headers["Retry-After"]) <= limiter.WINDOW


def test_login_limit_ends_with_the_window(anonymous: Any) -> None:
    """Failures older than the window don't count."""
    user = user_make()
    attempt = limiter.attempt_open(email_key=user.email_key, address="127.0.0.1")
    SignInFailure.objects.bulk_create(
        [SignInFailure(account=attempt.account, source=attempt.source) for _ in range(limiter.PAIR_LIMIT)]
    )
    SignInFailure.objects.update(at=F("at") - dt.timedelta(seconds=limiter.WINDOW + 1))
    assert login(anonymous, user.email).status_code == 200


def test_login_stranger_cannot_lock_the_owner_out(client_for: Any) -> None:
    """However often strangers fail from elsewhere, the owner signs in from where they did before."""
    user = user_make()
    client_for(user, REMOTE_ADDR="192.0.2.7")
    attempt = limiter.attempt_open(email_key=user.email_key, address="198.51.100.1")
    SignInFailure.objects.bulk_create(
        [SignInFailure(account=attempt.account, source=f"198.51.100.{n}") for n in range(1, 200)]
    )
    assert login(ApiClient(REMOTE_ADDR="192.0.2.7"), user.email).status_code == 200
    waits = login(ApiClient(REMOTE_ADDR="203.0.113.9"), user.email)
    assert waits.status_code == 429
    assert int(waits.headers["Retry-After"]) <= limiter.LONGEST_WAIT


def test_login_wait_grows_only_after_some_failures(anonymous: Any) -> None:
    """From an address that the account doesn't know, a few failures ask for no wait."""
    user = user_make()
    for _ in range(limiter.FREE_FAILURES):
        assert login(anonymous, user.email, WRONG).status_code == 401
    assert login(anonymous, user.email, WRONG).status_code == 429


def test_login_address_is_limited_over_accounts(anonymous: Any) -> None:
    """One address can't try many accounts one after the other."""
    SignInFailure.objects.bulk_create(
        [SignInFailure(account=bytes([n]) * 32, source="127.0.0.1") for n in range(limiter.ADDRESS_LIMIT)]
    )
    assert login(anonymous, user_make().email).status_code == 429


def test_login_ipv6_counts_by_its_network(db: None) -> None:
    """Whoever has a /64 has not 2^64 tries."""
    first = limiter.attempt_open(email_key="a@b.org", address="2001:db8::1")
    second = limiter.attempt_open(email_key="a@b.org", address="2001:db8::ffff")
    assert (first.account, first.source) == (second.account, second.source)


def test_login_good_ones_do_not_count(anonymous: Any) -> None:
    """A right password leaves no failure behind, the earlier mistakes of the same person neither."""
    user = user_make()
    login(anonymous, user.email, WRONG)
    assert login(anonymous, user.email).status_code == 200
    assert not SignInFailure.objects.exists()


def test_login_good_ones_at_once_do_not_wait_for_each_other(anonymous: Any) -> None:
    """What is being judged at this moment is no failure yet, also where the account has never signed in."""
    user = user_make()
    for _ in range(limiter.FREE_FAILURES + 2):
        limiter.attempt_open(email_key=user.email_key, address="127.0.0.1")
    assert login(anonymous, user.email).status_code == 200


@pytest.mark.usefixtures("redis_gone")
def test_login_works_without_redis(anonymous: Any) -> None:
    """Sign-in asks PostgreSQL alone."""
    assert login(anonymous, user_make().email).status_code == 200


@pytest.mark.django_db(transaction=True)
def test_login_many_at_once_do_not_slip_through() -> None:
    """Tries at the same time are counted one after the other: no more than the limit get to the hash."""
    user = user_make()
    statuses: list[int] = []

    def attempt() -> None:
        try:
            statuses.append(login(ApiClient(), user.email, WRONG).status_code)
        finally:
            connection.close()

    threads = [threading.Thread(target=attempt) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses.count(401) <= limiter.PAIR_LIMIT
    assert statuses.count(401) + statuses.count(429) == 12


def test_login_rehashes_an_outdated_hash(anonymous: Any, settings: Any) -> None:
    """A hash with parameters of before is renewed at the next sign-in."""
    outdated = _cheap_hash()
    user = user_make(password=outdated)
    assert login(anonymous, user.email).status_code == 200
    user.refresh_from_db()
    assert user.password != outdated
    assert login(anonymous, user.email).status_code == 200


def _cheap_hash() -> str:
    return "argon2" + PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)


def test_login_session_of_today_ends_by_settings(anonymous: Any, settings: Any) -> None:
    """Lifetimes are settings."""
    settings.SESSION_LIFETIME = 100
    login(anonymous, user_make().email)
    session = Session.objects.get()
    assert session.expires_at - session.created_at == dt.timedelta(seconds=100)
