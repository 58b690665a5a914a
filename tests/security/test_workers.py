"""The door as several web workers keep it together: real processes, real connections, a proxy in front."""

from __future__ import annotations

import concurrent.futures
import io
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.management import call_command

from accounts.models import Team
from audit.models import Event
from cloudscribe.lib.embedded.processes import wait_until
from security.models import IPRule, RateLimitPolicy
from tests.fixtures import client_make
from tests.security.serving import served, status_of

pytestmark = [pytest.mark.system, pytest.mark.django_db(transaction=True)]
WORKERS = 3
SECONDS = 5
# Each look at all workers is dozens of requests, which would keep the machine from all else.
PAUSE = 0.25
HERE, OTHER = "198.51.100.7", "198.51.100.8"
# Who guesses has an address of their own in each test: workers know for some seconds whom they have blocked,
# and write who was refused a little later, which may be in the next test.
GUESSER, FLOODER = "198.51.100.20", "198.51.100.30"
ME, LOGIN, REFRESH = "/api/v1/me/", "/api/v1/auth/login/", "/api/v1/auth/refresh/"
TEAMS = "/api/v1/teams/"

Ask = Callable[..., int]


@pytest.fixture(scope="module")
def port(django_db_setup: None) -> Iterator[int]:
    """Three workers on this process's database, which believe the proxy on loopback."""
    with served(WORKERS, 2, {"CLOUDSCRIBE_AUTOBLOCK_SCORE": "500"}) as port:
        yield port


@pytest.fixture
def ask(port: int) -> Ask:
    """Sends one request through the proxy, for a client at an address."""

    def send(address: str, method: str, path: str, body: Any = None, **headers: str) -> int:
        return status_of(port, method, path, body, X_Forwarded_For=address, **headers)

    return send


def many(times: int, act: Callable[[int], int]) -> Counter[int]:
    """How often each status came, of so many calls by eight at once."""
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        return Counter(pool.map(act, range(times)))


def test_rule_holds_on_all_workers_in_5_s(ask: Ask) -> None:
    """For a valid token at each of them, and is gone from all as fast."""
    bearer = {"Authorization": f"Bearer {client_make().token}"}

    def everywhere(status: int) -> bool:
        return many(30, lambda _: ask(HERE, "GET", ME, **bearer)) == {status: 30}

    assert everywhere(200)
    call_command("block_ip", "198.51.100.0/29", "--reason", "test")
    assert wait_until(lambda: everywhere(403), SECONDS, PAUSE)
    assert ask(OTHER, "GET", ME, **bearer) == 200
    call_command("block_ip", "198.51.100.0/29", "--remove")
    assert wait_until(lambda: everywhere(200), SECONDS, PAUSE)


def test_freeze_holds_on_all_workers_when_the_command_returns(ask: Ask) -> None:
    """From then on nobody acknowledges a write, whatever was under way; people read on; `off` is as fast."""
    client = client_make()
    bearer = {"Authorization": f"Bearer {client.token}"}
    over = threading.Event()
    moments: list[tuple[float, int]] = []

    def write() -> None:
        while not over.is_set():
            status = ask(HERE, "POST", TEAMS, {"name": "Team"}, **bearer)
            moments.append((time.monotonic(), status))

    writers = [threading.Thread(target=write) for _ in range(6)]
    for writer in writers:
        writer.start()
    assert wait_until(lambda: 201 in {status for _, status in moments}, SECONDS)
    call_command("read_only", "on", "--reason", "test", stdout=io.StringIO())
    returned, made = time.monotonic(), Team.objects.count()
    assert wait_until(lambda: len([at for at, _ in moments if at > returned]) > 60, SECONDS)
    assert many(30, lambda _: ask(HERE, "GET", ME, **bearer)) == {200: 30}
    over.set()
    for writer in writers:
        writer.join(20)
    assert {status for at, status in moments if at > returned} == {503}
    assert Team.objects.count() == made == len([status for _, status in moments if status == 201])
    call_command("read_only", "off", stdout=io.StringIO())
    assert wait_until(
        lambda: many(12, lambda _: ask(HERE, "POST", TEAMS, {"name": "Team"}, **bearer)) == {201: 12},
        SECONDS,
        PAUSE,
    )


def test_session_revoked_is_out_on_all_workers_at_once(ask: Ask) -> None:
    """No worker remembers it: the next request fails, whichever takes it."""
    here, there = client_make(), client_make()
    assert here.credentials is not None
    bearer = {"Authorization": f"Bearer {here.token}"}
    assert many(30, lambda _: ask(HERE, "GET", ME, **bearer)) == {200: 30}
    assert here.delete(f"me/sessions/{here.credentials.session.uid}/").status_code == 204
    assert many(30, lambda _: ask(HERE, "GET", ME, **bearer)) == {401: 30}
    assert ask(HERE, "GET", ME, Authorization=f"Bearer {there.token}") == 200


def test_hundred_wrong_passwords_are_429_while_the_owner_goes_on(ask: Ask) -> None:
    """Spread over all workers ten are judged at most; the owner's sessions live, at that address too."""
    owner = client_make()
    assert owner.user is not None
    assert owner.credentials is not None
    bearer = {"Authorization": f"Bearer {owner.token}"}
    guess = {"email": owner.user.email, "password": "wrong-password-9"}
    found = many(100, lambda _: ask(GUESSER, "POST", LOGIN, guess))
    assert found[401] + found[429] == 100
    assert 5 <= found[401] <= 10
    assert {ask(address, "GET", ME, **bearer) for address in (GUESSER, OTHER)} == {200}
    assert ask(OTHER, "POST", REFRESH, {"refresh": owner.credentials.refresh}) == 200


def test_flood_with_forged_addresses_is_one_clients(ask: Ask) -> None:
    """What the proxy adds is the address, whatever stands before it; all workers count together."""
    RateLimitPolicy.objects.filter(scope="sign_in", key="address").update(requests=20, seconds=86_400)
    body = {"refresh": "none"}
    try:
        assert wait_until(lambda: ask(OTHER, "POST", REFRESH, body) == 401, SECONDS)
        _refreshed(ask)
        found = many(60, lambda n: ask(f"203.0.113.{n}, 10.0.0.{n}, {FLOODER}", "POST", REFRESH, body))
        assert found == {401: 20, 429: 40}
    finally:
        RateLimitPolicy.objects.filter(scope="sign_in", key="address").update(requests=120, seconds=60)


def _refreshed(ask: Ask) -> None:
    """Wait until every worker knows the limit: none of a stranger's first 21 tries goes through."""
    numbers = iter(range(1, 250))

    def limited() -> bool:
        address = f"192.0.2.{next(numbers)}"
        return many(40, lambda _: ask(address, "POST", REFRESH, {"refresh": "none"})) == {401: 20, 429: 20}

    assert wait_until(limited, SECONDS, PAUSE)


def test_guessing_on_and_on_ends_in_a_block_on_all_workers(ask: Ask) -> None:
    """An automatic rule, one event, and 403 for that address alone."""
    address = "198.51.100.99"
    guess = {"email": "ada@example.org", "password": "wrong-password-9"}

    def blocked() -> bool:
        return many(30, lambda _: ask(address, "POST", LOGIN, guess)) == {403: 30}

    many(130, lambda _: ask(address, "POST", LOGIN, guess))
    assert wait_until(blocked, 2 * SECONDS, PAUSE)
    # Workers write a little later who was refused: by now also who guessed in the tests before.
    rule = IPRule.objects.get(network=f"{address}/32")
    assert (rule.effect, rule.origin) == ("block", "automatic")
    assert Event.objects.filter(action="ip_rule.created", target_uid=rule.uid).count() == 1
    assert {ask(neighbour, "GET", ME) for neighbour in ("198.51.100.98", "198.51.100.100")} == {401}
