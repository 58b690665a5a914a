"""auth/password/…: change, forgot, reset."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from accounts.models import PasswordReset, SignInFailure
from accounts.services import limiter
from audit.models import Event
from cloudscribe.jobs.models import Job
from tests.accounts.api.test_registration import mailed, token_in
from tests.accounts.factories import PASSWORD, user_make

NEW = "a-fresh-password-2026"


def change(client: Any, current: str = PASSWORD, password: str = NEW) -> Any:
    """One try to change it."""
    return client.post("auth/password/change/", {"current_password": current, "password": password})


def test_change_ends_all_other_sessions(client_for: Any, anonymous: Any) -> None:
    """The new password counts at once, the session at hand stays, the others end, the owner is told."""
    user = user_make()
    here, there = client_for(user), client_for(user)
    assert change(here).status_code == 200
    assert (here.get("me/").status_code, there.get("me/").status_code) == (200, 401)
    login = {"email": user.email, "password": NEW}
    assert anonymous.post("auth/login/", login).status_code == 200
    assert anonymous.post("auth/login/", {**login, "password": PASSWORD}).status_code == 401
    assert Job.objects.filter(payload__message="password_changed").count() == 1
    assert Event.objects.filter(action="user.password_changed").count() == 1


def test_change_wrong_current_password_is_named_and_counted(client_for: Any) -> None:
    """Whoever has somebody's access token can't guess the password here."""
    client = client_for()
    answer = change(client, current="wrong-password-1")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "/current_password"
    failure = SignInFailure.objects.get()
    SignInFailure.objects.bulk_create(
        [SignInFailure(account=failure.account, source=failure.source) for _ in range(limiter.PAIR_LIMIT)]
    )
    assert change(client).status_code == 429


def test_change_to_a_bad_password_is_named(client_for: Any) -> None:
    """Django's validators speak."""
    answer = change(client_for(), password="12345678")
    assert answer.status_code == 400
    assert {fault["code"] for fault in answer.json()["errors"]} >= {"password_entirely_numeric"}


def test_forgot_then_reset(client_for: Any, anonymous: Any) -> None:
    """The mailed token sets a new password once and ends every session."""
    user = user_make()
    client = client_for(user)
    assert anonymous.post("auth/password/forgot/", {"email": user.email.upper()}).status_code == 202
    token = token_in(mailed())
    assert anonymous.post("auth/password/reset/", {"token": token, "password": "short"}).status_code == 400
    assert anonymous.post("auth/password/reset/", {"token": token, "password": NEW}).status_code == 200
    assert client.get("me/").status_code == 401
    assert anonymous.post("auth/login/", {"email": user.email, "password": NEW}).status_code == 200
    again = anonymous.post("auth/password/reset/", {"token": token, "password": PASSWORD})
    assert (again.status_code, again.json()["code"]) == (400, "invalid_token")


def test_forgot_unknown_address_answers_the_same(anonymous: Any) -> None:
    """202 for everybody after the same statements; where there is no account, no mail is written."""
    user_make("ann@example.org")
    with CaptureQueriesContext(connection) as for_known:
        known = anonymous.post("auth/password/forgot/", {"email": "ann@example.org"})
    with CaptureQueriesContext(connection) as for_unknown:
        unknown = anonymous.post("auth/password/forgot/", {"email": "bob@example.org"})
    assert len(for_known) == len(for_unknown)
    assert (known.status_code, known.content) == (unknown.status_code, unknown.content) == (202, b"")
    assert Job.objects.filter(kind="mail.send").count() == 2
    assert mailed() is None


@pytest.mark.parametrize("spoil", ["expired", "suspended"])
def test_reset_refused(anonymous: Any, spoil: str) -> None:
    """A token works in its time and for who may sign in."""
    user = user_make()
    anonymous.post("auth/password/forgot/", {"email": user.email})
    token = token_in(mailed())
    if spoil == "expired":
        PasswordReset.objects.update(expires_at=F("created_at") - dt.timedelta(seconds=1))
    else:
        user.is_active = False
        user.save(update_fields=["is_active"])
    answer = anonymous.post("auth/password/reset/", {"token": token, "password": NEW})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_token")
