"""The bearer credential of every request."""

from __future__ import annotations

import base64
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.conf import settings as project
from django.db import connection

from accounts.access_tokens import SessionAccessToken
from accounts.models import User
from accounts.roles import role_give
from cloudscribe.lib.keyring import KeyRing
from tests.accounts.factories import user_make
from tests.fixtures import ApiClient


def forged(
    client: Any, *, headers: dict[str, Any] | None = None, key: bytes | None = None, **claims: Any
) -> str:
    """The client's own token with other claims or headers, signed by the right key or another."""
    found = jwt.decode(client.token, options={"verify_signature": False})
    ring = project.KEY_RING
    wanted = {"kid": ring.active_kid, "typ": "at+jwt", **(headers or {})}
    head = {name: value for name, value in wanted.items() if value is not None}
    body = {name: value for name, value in {**found, **claims}.items() if value is not None}
    return jwt.encode(body, key or ring.derive("access-token"), algorithm="HS256", headers=head)


def test_bearer_own_token_again_is_accepted(client_for: Any) -> None:
    """The forger's tool makes good tokens, too: what follows fails for its own reason."""
    client = client_for()
    assert ApiClient(forged(client)).get("me/").status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "https://elsewhere.example"},
        {"aud": "another-api"},
        {"token_type": "refresh"},
        {"sid": "00000000-0000-7000-8000-000000000000"},
        {"sub": "00000000-0000-7000-8000-000000000000"},
        {"sid": "not a uuid"},
        {"sid": 7},
        {"jti": None},
        {"exp": None},
        {"sub": None},
    ],
)
def test_bearer_wrong_claim_is_401(client_for: Any, change: dict[str, Any]) -> None:
    """Issuer, audience, type, session and subject must all be right, whoever signed."""
    answer = ApiClient(forged(client_for(), **change)).get("me/")
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


@pytest.mark.parametrize(
    "case", ["another_key", "unknown_kid", "no_kid", "other_typ", "none", "garbage", "empty", "purpose"]
)
def test_bearer_wrong_signature_is_401(client_for: Any, case: str) -> None:
    """One algorithm, one type of token, keys of the ring alone, and of them only the one for this purpose."""
    client = client_for()
    body = client.token.split(".")[1]
    unsigned = base64.urlsafe_b64encode(b'{"alg":"none","typ":"at+jwt","kid":"k"}').decode().rstrip("=")
    tokens: dict[str, Callable[[], str]] = {
        "another_key": lambda: forged(client, key=b"x" * 32),
        "unknown_kid": lambda: forged(client, headers={"kid": "other"}),
        "no_kid": lambda: forged(client, headers={"kid": None}),
        "other_typ": lambda: forged(client, headers={"typ": "JWT"}),
        "none": lambda: f"{unsigned}.{body}.",
        "garbage": lambda: "x.y.z",
        "empty": lambda: "",
        "purpose": lambda: forged(client, key=project.KEY_RING.derive("refresh-tag")),
    }
    assert ApiClient(tokens[case]() or "  ").get("me/").status_code == 401


def test_bearer_expired_is_told_apart(client_for: Any) -> None:
    """A client may know that it is time to refresh."""
    past = int((dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)).timestamp())
    answer = ApiClient(forged(client_for(), exp=past)).get("me/")
    assert (answer.status_code, answer.json()["code"]) == (401, "token_expired")


def test_bearer_retired_key_still_verifies(client_for: Any, settings: Any) -> None:
    """A new active key leaves living tokens alone; a key that is gone ends them."""
    client = client_for()
    old = settings.KEY_RING
    new = {**old.keys, "next": b"n" * 32}
    settings.KEY_RING = KeyRing.parse(
        json.dumps({"active": "next", "keys": {k: base64.b64encode(v).decode() for k, v in new.items()}})
    )
    assert client.get("me/").status_code == 200
    assert client_for().get("me/").status_code == 200
    settings.KEY_RING = KeyRing.parse(
        json.dumps({"active": "next", "keys": {"next": base64.b64encode(b"n" * 32).decode()}})
    )
    assert client.get("me/").status_code == 401


def test_bearer_suspended_user_fails_on_the_next_request(client_for: Any) -> None:
    """A suspended person is out at once."""
    client = client_for()
    User.objects.update(is_active=False)
    assert client.get("me/").status_code == 401


def test_bearer_demotion_holds_on_the_next_request(client_for: Any) -> None:
    """A role taken away is gone for the next request."""
    user = user_make()
    client = client_for(user)
    role_give(user, "auditor")
    assert "auditor" in client.get("me/").json()["roles"]
    user.groups.clear()
    assert client.get("me/").json()["roles"] == []


def test_bearer_without_a_stamp_is_no_session(client_for: Any) -> None:
    """Rights that can't be dated are no rights: a lost stamp row fails closed."""
    client = client_for()
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_userstamp")
    assert client.get("me/").status_code == 401


def test_bearer_names_no_right(client_for: Any) -> None:
    """The token says who and which session, nothing else; ten minutes at most."""
    claims = jwt.decode(client_for().token, options={"verify_signature": False})
    assert set(claims) == {"token_type", "exp", "iat", "jti", "sub", "sid", "iss", "aud"}
    assert claims["exp"] - claims["iat"] <= 600
    assert SessionAccessToken.lifetime <= dt.timedelta(minutes=10)


@pytest.mark.parametrize("header", ["Basic abc", "Token abc", "abc", ""])
def test_bearer_other_schemes_are_nobody(anonymous: Any, header: str) -> None:
    """Another scheme is no sign-in."""
    answer = anonymous.get("me/", Authorization=header)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")
