"""The admin behind the same door as the API."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.services import admin_create
from audit.denials import denials
from audit.models import Event
from security.ip_rules import rules
from security.models import RateLimitPolicy
from security.services import ip_rule_create
from tests.accounts.factories import PASSWORD
from tests.actors import command

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_rules")]
BOSS = "boss@example.org"
HERE, THERE = {"REMOTE_ADDR": "192.0.2.1"}, {"REMOTE_ADDR": "192.0.2.2"}


@pytest.fixture(autouse=True)
def _limits(settings: Any) -> None:
    settings.RATELIMIT_ENABLE = True
    denials._windows.clear()
    admin_create(actor=command(), email=BOSS, password=PASSWORD)


def limit(scope: str, key: str, requests: int) -> None:
    """So many in a day."""
    RateLimitPolicy.objects.filter(scope=scope, key=key).update(requests=requests, seconds=86_400)


def sign_in(client: Client, password: str = PASSWORD) -> Any:
    """The answer to the form."""
    return client.post("/admin/login/", {"username": BOSS, "password": password})


def test_sign_in_is_limited_by_address() -> None:
    """429 as a page that says when to come back, whatever the form holds; another address isn't held up."""
    limit("sign_in", "address", 3)
    here, there = Client(**HERE), Client(**THERE)
    assert [sign_in(here, "wrong-password-9").status_code for _ in range(3)] == [200] * 3
    refused = sign_in(here)
    assert refused.status_code == 429
    assert refused.headers["Content-Type"].startswith("text/html")
    assert int(refused.headers["Retry-After"]) >= 1
    assert "Too many requests" in refused.content.decode()
    assert sign_in(there).status_code == 302
    event = Event.objects.get(action="rate_limit.exceeded")
    assert event.detail.content["target"] == "sign_in by address"


def test_sign_in_shares_its_limit_with_the_api(anonymous: Any) -> None:
    """Who is through with the one has not the other left."""
    limit("sign_in", "address", 2)
    client = Client(**HERE)
    for _ in range(2):
        client.post("/api/v1/auth/refresh/", {"refresh": "x"}, content_type="application/json")
    assert sign_in(client).status_code == 429


def test_pages_are_limited_by_person() -> None:
    """With the reads of the API, in all browsers; a stranger counts by address."""
    limit("reads", "user", 3)
    limit("reads", "address", 2)
    first, second = Client(**HERE), Client(**THERE)
    sign_in(first)
    sign_in(second)
    answers = [client.get("/admin/password_change/").status_code for client in (first, second, first, second)]
    assert answers == [200, 200, 200, 429]
    stranger = Client(REMOTE_ADDR="192.0.2.3")
    assert [stranger.get("/admin/").status_code for _ in range(3)] == [302, 302, 429]


def test_changes_are_limited_as_writes() -> None:
    """What is sent to a page."""
    limit("writes", "user", 1)
    client = Client(**HERE)
    sign_in(client)
    answers = [client.post("/admin/security/iprule/", {}).status_code for _ in range(2)]
    assert answers[1] == 429


def test_blocked_address_sees_nothing_of_the_admin() -> None:
    """Signed in or not, as a page."""
    client = Client(**HERE)
    sign_in(client)
    ip_rule_create(actor=command(), network="192.0.2.1")
    rules.forget()
    for path in ("/admin/", "/admin/login/", "/admin/security/iprule/", "/static/admin/css/base.css"):
        answer = client.get(path)
        assert answer.status_code == 403, path
        assert "This address is blocked" in answer.content.decode()


@pytest.mark.usefixtures("redis_gone")
def test_sign_in_is_limited_without_redis() -> None:
    """By the process's own count."""
    limit("sign_in", "address", 2)
    client = Client(**HERE)
    assert [sign_in(client, "wrong-password-9").status_code for _ in range(3)] == [200, 200, 429]
