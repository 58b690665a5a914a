"""Every kind of token at every door that takes one: good at home and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from accounts.mailed_tokens import EMAIL_CHANGE, INVITATION, PASSWORD_RESET, REGISTRATION
from tests.accounts.api.test_registration import ANN, invitation_make, mailed, token_in
from tests.accounts.factories import token_make, user_make
from tests.fixtures import ApiClient, client_make

DOORS: dict[str, Callable[[ApiClient, str], Any]] = {
    "bearer": lambda _, token: ApiClient(token).get("me/"),
    "refresh": lambda me, token: me.post("auth/refresh/", {"refresh": token}),
    REGISTRATION: lambda me, token: me.post("auth/verify-email/", {"token": token}),
    PASSWORD_RESET: lambda me, token: me.post(
        "auth/password/reset/", {"token": token, "password": "a-fresh-password-2026"}
    ),
    EMAIL_CHANGE: lambda me, token: me.post("auth/email/confirm/", {"token": token}),
    INVITATION: lambda me, token: me.post("auth/invitations/accept/", {"token": token}),
}
HOMES = {
    "access": "bearer",
    "personal": "bearer",
    **{door: door for door in DOORS if door != "bearer"},
}


def _mailed(answer: Any) -> str:
    assert answer.status_code == 202, answer.content
    return token_in(mailed())


@pytest.fixture
def me(db: None) -> ApiClient:
    """Somebody who is invited, too."""
    return client_make(user_make("me@example.org"))


def tokens_of(me: ApiClient) -> dict[str, str]:
    """A live token of every kind, all of one person."""
    assert me.credentials is not None
    assert me.user is not None
    invitation_make(client_make(), "me@example.org")
    return {
        INVITATION: token_in(mailed()),
        "access": me.credentials.access,
        "refresh": me.credentials.refresh,
        "personal": token_make(me.user),
        EMAIL_CHANGE: _mailed(me.post("auth/email/change/", {"email": "new@example.org"})),
        PASSWORD_RESET: _mailed(me.post("auth/password/forgot/", {"email": "me@example.org"})),
        REGISTRATION: _mailed(me.post("auth/register/", ANN)),
    }


@pytest.mark.parametrize("kind", HOMES)
def test_token_is_refused_everywhere_but_at_home(me: ApiClient, kind: str) -> None:
    """First at all other doors, then at its own, which shows that it was good all the time."""
    token = tokens_of(me)[kind]
    for door, show in DOORS.items():
        if door != HOMES[kind]:
            assert show(me, token).status_code in {400, 401}, door
    assert DOORS[HOMES[kind]](me, token).status_code == 200
