"""General rate limits."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from redis.connection import AbstractConnection

from audit.denials import denials
from audit.models import Event
from security.limits import policies
from security.models import RateLimitPolicy
from tests.accounts.factories import token_make, user_make
from tests.fixtures import ApiClient


@pytest.fixture(autouse=True)
def _limits(db: None, settings: Any) -> Any:
    """Three reads a minute for everybody, as this process sees it now, and nothing refused before."""
    settings.RATELIMIT_ENABLE = True
    denials._windows.clear()
    RateLimitPolicy.objects.filter(scope="reads").update(requests=3, seconds=86_400)
    policies.forget()
    yield
    policies.forget()


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What goes out to Redis from now on, one entry for each time that an answer is waited for."""
    sent: list[str] = []
    send = AbstractConnection.send_packed_command

    def counted(self: Any, command: Any, *args: Any, **options: Any) -> Any:
        sent.append(repr(command)[:80])
        return send(self, command, *args, **options)

    monkeypatch.setattr(AbstractConnection, "send_packed_command", counted)
    return sent


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


@pytest.mark.parametrize("credential", ["session", "token", "nobody"])
def test_limit_comes_before_any_row(client_for: Any, django_assert_num_queries: Any, credential: str) -> None:
    """Once over it a request looks up who asks and nothing of what is asked for."""
    if credential == "token":
        client = ApiClient(token_make(user_make(), "documents:read"))
    else:
        client = client_for() if credential == "session" else ApiClient()
    path = f"documents/{uuid.uuid4()}/"
    asked = [client.get(path).status_code for _ in range(4)]
    assert asked[3] == 429
    # the credential with its user; of a stranger nothing
    with django_assert_num_queries(0 if credential == "nobody" else 1):
        assert client.get(path).status_code == 429


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


def test_limit_takes_one_round_trip_a_count(client_for: Any, round_trips: list[str]) -> None:
    """A read asks Redis for the limit alone: once for a session, twice for a token."""
    session, token = client_for(), ApiClient(token_make(user_make(), "profile:read"))
    for client, expected in ((session, 1), (token, 2)):
        client.get("me/")
        round_trips.clear()
        assert client.get("me/").status_code == 200
        assert len(round_trips) == expected, round_trips


def test_limit_of_a_token_is_its_own(client_for: Any) -> None:
    """A token that ran out is refused, and its owner's session and other token go on."""
    RateLimitPolicy.objects.filter(scope="reads", key="token").update(requests=2, seconds=86_400)
    RateLimitPolicy.objects.filter(scope="reads", key="user").update(requests=8, seconds=86_400)
    policies.forget()
    user = user_make()
    runaway, other = (ApiClient(token_make(user, "profile:read")) for _ in range(2))
    first = runaway.get("me/")
    assert first.headers["RateLimit-Policy"] == '"reads_token";q=2;w=86400, "reads";q=8;w=86400'
    assert first.headers["RateLimit"].startswith('"reads_token";r=1;')
    assert statuses(runaway) == [200, 429, 429, 429, 429]
    assert statuses(other, 2) == [200, 200]
    assert statuses(client_for(user), 4) == [200] * 4


def test_limit_of_the_user_holds_for_all_their_tokens() -> None:
    """No new bucket by minting another token: the user's limit runs out first."""
    user = user_make()
    clients = [ApiClient(token_make(user, "profile:read")) for _ in range(3)]
    assert [client.get("me/").status_code for client in clients] == [200] * 3
    refused = clients[0].get("me/")
    assert refused.status_code == 429
    assert refused.headers["RateLimit"].startswith('"reads";r=0;')


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "203.0.113.{n}"},
        {"X-Real-IP": "203.0.113.{n}"},
        {"Forwarded": "for=203.0.113.{n}"},
        {"True-Client-IP": "203.0.113.{n}"},
        {"CF-Connecting-IP": "203.0.113.{n}"},
        {"User-Agent": "agent {n}"},
        {"X-Request-ID": "request-{n}"},
        {"Cookie": "sessionid={n}"},
        {"Authorization": "Bearer forged.{n}.x"},
        {"Authorization": "Bearer csp_" + "{n}" * 43},
        {"Authorization": "Basic {n}"},
        {"X-HTTP-Method-Override": "OPTIONS", "Idempotency-Key": "{n}"},
    ],
)
def test_limit_cant_be_dodged_by_headers(headers: dict[str, str]) -> None:
    """A stranger's bucket is their address, whatever they claim; forged credentials make no new one."""
    RateLimitPolicy.objects.filter(scope="reads", key="address").update(requests=3, seconds=86_400)
    policies.forget()
    client = ApiClient(REMOTE_ADDR="192.0.2.1")
    answers = []
    for number in range(5):
        sent = {name: value.replace("{n}", str(number)) for name, value in headers.items()}
        answers.append(client.get("me/", **sent).status_code)
    assert answers == [401, 401, 401, 429, 429]


def test_limit_cant_be_dodged_by_spellings(client_for: Any) -> None:
    """Every way to write a route leads to the same bucket, and so does HEAD."""
    client = client_for()
    paths = ["me/", "/api/v1/m%65/", "/api/v1/me/?", "me/", "/api/v1/%6de/"]
    assert [client.get(path).status_code for path in paths] == [200, 200, 200, 429, 429]
    assert client.call("HEAD", "me/").status_code == 429


def test_limit_of_a_64_is_one() -> None:
    """Whoever has a /64 of IPv6 has one bucket; IPv4 in IPv6 clothes is IPv4."""
    RateLimitPolicy.objects.filter(scope="reads", key="address").update(requests=2, seconds=86_400)
    policies.forget()

    def answers(*addresses: str) -> list[int]:
        return [ApiClient(REMOTE_ADDR=address).get("me/").status_code for address in addresses]

    assert answers("2001:db8::1", "2001:db8::2", "2001:db8::3") == [401, 401, 429]
    assert answers("192.0.2.1", "::ffff:192.0.2.1", "192.0.2.1") == [401, 401, 429]


def test_limit_of_refused_calls_counts_too(client_for: Any) -> None:
    """403s are no free rides."""
    assert [client_for().get("audit/events/").status_code for _ in range(2)] == [403, 403]
    client = client_for()
    assert [client.get("audit/events/").status_code for _ in range(4)] == [403, 403, 403, 429]


def test_limit_of_an_account_is_per_address(anonymous: Any) -> None:
    """However its name is spelt; somebody elsewhere isn't held up."""
    RateLimitPolicy.objects.filter(scope="mail", key="account").update(requests=2, seconds=86_400)
    policies.forget()
    here, there = ApiClient(REMOTE_ADDR="192.0.2.1"), ApiClient(REMOTE_ADDR="192.0.2.2")
    spelt = ["Ada@Example.org", " ada@example.org", "ADA@EXAMPLE.ORG"]
    answers = [here.post("auth/password/forgot/", {"email": email}) for email in spelt]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert here.post("auth/password/forgot/", {"email": "other@example.org"}).status_code == 202
    assert there.post("auth/password/forgot/", {"email": spelt[0]}).status_code == 202
    for body in ({"email": 7}, {}, [], "x"):
        assert here.post("auth/password/forgot/", body).status_code == 400


def test_limit_start_is_one_event(client_for: Any) -> None:
    """The first refusal of a period is on the record, what follows is a metric: nobody can fill the trail."""
    client = client_for()
    statuses(client, 10)
    event = Event.objects.get(action="rate_limit.exceeded")
    assert (event.actor_uid, event.detail.content["target"]) == (client.user.uid, "reads by user")
    assert event.facts == {"code": "rate_limited", "route": "/api/v1/me/"}


def test_coarse_limit_start_is_one_event(settings: Any) -> None:
    """With the address that it was."""
    settings.COARSE_LIMIT = 2
    flood = ApiClient(REMOTE_ADDR="192.0.2.99")
    assert [flood.get("me/").status_code for _ in range(6)].count(429) == 4
    event = Event.objects.get(action="rate_limit.exceeded")
    assert (event.actor_uid, event.detail.address) == (None, "192.0.2.99")
