"""The client's address and the headers, on whole requests."""

from __future__ import annotations

from typing import Any

import pytest

from accounts.models import Session
from tests.accounts.factories import PASSWORD, user_make
from tests.fixtures import ApiClient


def login_from(**meta: Any) -> Any:
    """The session of a sign-in whose request looks so."""
    headers = meta.pop("headers", {})
    user = user_make()
    answer = ApiClient(**meta).post("auth/login/", {"email": user.email, "password": PASSWORD}, **headers)
    assert answer.status_code == 200, answer.content
    return Session.objects.get(user=user)


@pytest.mark.django_db
def test_address_forwarded_by_a_stranger_is_ignored() -> None:
    """Whoever isn't a configured proxy can't choose an address."""
    session = login_from(
        REMOTE_ADDR="203.0.113.5",
        headers={"X-Forwarded-For": "1.2.3.4", "X-Real-IP": "1.2.3.4", "Forwarded": "for=1.2.3.4"},
    )
    assert session.address == "203.0.113.5"


@pytest.mark.django_db
def test_address_forwarded_by_a_proxy_counts(settings: Any) -> None:
    """A configured proxy's word is taken for the nearest hop alone."""
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    session = login_from(REMOTE_ADDR="10.1.1.1", headers={"X-Forwarded-For": "6.6.6.6, 198.51.100.9"})
    assert session.address == "198.51.100.9"


@pytest.mark.django_db
def test_address_is_none_behind_a_socket() -> None:
    """A request over a Unix socket has no address, and nothing breaks."""
    assert login_from(REMOTE_ADDR="").address is None


@pytest.mark.parametrize(
    "path",
    ["/api/v1/me/", "/api/v1/nothing/", "/health/live", "/api/schema/", "/nothing", "/api/v1/auth/login/"],
)
def test_headers_are_on_every_answer(anonymous: ApiClient, path: str) -> None:
    """Errors too: nothing may be sniffed, framed or told to others."""
    answer = anonymous.get(path)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "Strict-Transport-Security" not in answer.headers


def test_headers_of_the_api_allow_nothing(anonymous: ApiClient) -> None:
    """No answer of the API is a page."""
    assert anonymous.get("me/").headers["Content-Security-Policy"].startswith("default-src 'none';")


def test_headers_of_pages_allow_their_own_assets(anonymous: ApiClient) -> None:
    """No inline script anywhere; evaluation for the admin's theme alone."""
    policy = anonymous.get("/account/verify/?token=x").headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy + ";"
    assert "unsafe" not in policy
    admin = anonymous.get("/admin/login/").headers["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval'" in admin
    assert "script-src 'self' 'unsafe-inline'" not in admin


def test_headers_say_https_only_over_https(settings: Any, db: None) -> None:
    """HSTS goes out where the connection is secure, as the trusted proxy says."""
    settings.SECURE_HSTS_SECONDS = 3600
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    trusted = ApiClient(REMOTE_ADDR="10.0.0.1").get("me/", **{"X-Forwarded-Proto": "https"})
    assert "max-age=3600" in trusted.headers["Strict-Transport-Security"]
    stranger = ApiClient(REMOTE_ADDR="203.0.113.1").get("me/", **{"X-Forwarded-Proto": "https"})
    assert "Strict-Transport-Security" not in stranger.headers


def test_coarse_limit_stops_a_flood_of_one_address(settings: Any, db: None) -> None:
    """Beyond the process's limit nothing is done for an address; others aren't held up."""
    settings.RATELIMIT_ENABLE, settings.COARSE_LIMIT = True, 3
    flood, other = ApiClient(REMOTE_ADDR="192.0.2.1"), ApiClient(REMOTE_ADDR="192.0.2.2")
    assert [flood.get("me/").status_code for _ in range(3)] == [401, 401, 401]
    refused = flood.get("me/")
    assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
    assert 1 <= int(refused.headers["Retry-After"]) <= 10
    assert refused.headers["X-Content-Type-Options"] == "nosniff"
    assert other.get("me/").status_code == 401
