"""General rate limits."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import caches

from security.limits import policies
from security.models import RateLimitPolicy
from tests.accounts.factories import user_make
from tests.fixtures import ApiClient


@pytest.fixture(autouse=True)
def _limits(db: None, settings: Any) -> Any:
    """Three reads a minute for everybody, as this process sees it now."""
    settings.RATELIMIT_ENABLE = True
    RateLimitPolicy.objects.filter(scope="reads").update(requests=3, seconds=86_400)
    policies.forget()
    yield
    policies.forget()


def statuses(client: Any, times: int = 5) -> list[int]:
    """What that many reads answer."""
    return [client.get("me/").status_code for _ in range(times)]


def test_limit_is_429_with_all_it_needs(client_for: Any) -> None:
    """The fourth read is refused as a problem that says when to come back."""
    client = client_for()
    first = client.get("me/")
    assert first.headers["RateLimit-Policy"] == '"reads";q=3;w=86400'
    assert first.headers["RateLimit"].startswith('"reads";r=2;t=')
    assert statuses(client, 2) == [200, 200]
    refused = client.get("me/")
    assert refused.status_code == 429
    body = refused.json()
    assert (body["code"], body["error_type"]) == ("rate_limited", "BusinessError")
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.headers["RateLimit"].startswith('"reads";r=0;t=')


def test_limit_is_per_user(client_for: Any) -> None:
    """One caller's limit is nobody else's; all sessions of a person share it."""
    user = user_make()
    one, two, other = client_for(user), client_for(user), client_for()
    assert statuses(one, 3) == [200] * 3
    assert two.get("me/").status_code == 429
    assert other.get("me/").status_code == 200


def test_limit_of_strangers_is_per_address(db: None) -> None:
    """Whoever isn't signed in counts by address."""
    RateLimitPolicy.objects.filter(scope="sign_in").update(requests=1, seconds=86_400)
    policies.forget()
    here, there = ApiClient(REMOTE_ADDR="192.0.2.1"), ApiClient(REMOTE_ADDR="192.0.2.2")
    bad = {"refresh": "x"}
    assert here.post("auth/refresh/", bad).status_code == 401
    refused = here.post("auth/refresh/", bad)
    assert (refused.status_code, refused.json()["error_type"]) == (429, "AuthError")
    assert there.post("auth/refresh/", bad).status_code == 401


def test_limit_writes_are_apart_from_reads(client_for: Any) -> None:
    """Scopes don't share."""
    client = client_for()
    statuses(client)
    assert client.patch("me/", {"name": "New"}).status_code == 200


def test_limit_switched_off(client_for: Any, settings: Any) -> None:
    """RATELIMIT_ENABLE=false: no limit, no header."""
    settings.RATELIMIT_ENABLE = False
    client = client_for()
    assert statuses(client) == [200] * 5
    assert "RateLimit" not in client.get("me/").headers


def test_limit_disabled_policy_is_none(client_for: Any) -> None:
    """Staff can switch one off."""
    RateLimitPolicy.objects.update(enabled=False)
    policies.forget()
    assert statuses(client_for()) == [200] * 5


@pytest.mark.usefixtures("redis_gone")
def test_limit_without_redis_counts_in_the_process(client_for: Any) -> None:
    """Redis gone: the limit stands, counted by each process for itself."""
    assert statuses(client_for()) == [200, 200, 200, 429, 429]


def test_limit_takes_two_round_trips(client_for: Any) -> None:
    """A read asks Redis twice at most, for the limit alone."""
    client = client_for()
    calls: list[str] = []
    connection = caches["ratelimit"].client.get_client(write=True)  # type: ignore[attr-defined]
    execute = connection.execute_command

    def counted(*args: Any, **options: Any) -> Any:
        calls.append(str(args[0]))
        return execute(*args, **options)

    connection.execute_command = counted
    try:
        client.get("me/")
        client.get("me/")
    finally:
        connection.execute_command = execute
    assert len(calls) <= 4, calls
