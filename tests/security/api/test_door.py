"""What the whole door costs, and what it promises to people who did nothing."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from redis.connection import AbstractConnection

from security.models import IPRule
from tests.accounts.factories import PASSWORD, token_make, user_make
from tests.fixtures import ApiClient, client_make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_rules")]
WRONG = "wrong-password-9"


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


@pytest.mark.parametrize("credential", ["session", "token"])
def test_door_costs_one_query_and_two_round_trips(
    credential: str, settings: Any, round_trips: list[str]
) -> None:
    """Address, rules, limits, credential, user and stamps of a warm read, with many a rule."""
    settings.RATELIMIT_ENABLE = True
    IPRule.objects.bulk_create(IPRule(network=f"10.0.0.0/{length}") for length in range(8, 33))
    client = (
        client_make() if credential == "session" else ApiClient(token_make(user_make(), "documents:read"))
    )
    # It is through the door when a parameter is refused that no route has.
    path = "documents/?nothing=1"
    client.get(path)
    round_trips.clear()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        answer = client.get(path)
    assert answer.json()["code"] == "unknown_parameter"
    # session or token, with user, stamps and clock
    assert len(queries) == 1
    assert len(round_trips) <= 2, round_trips


def test_ten_names_from_one_address_lock_nobody_out_elsewhere() -> None:
    """Whoever guesses at ten accounts uses up their own address, and not the people's."""
    people = [user_make() for _ in range(10)]
    home = {person.pk: f"203.0.113.{number}" for number, person in enumerate(people)}
    for person in people:
        client_make(person, REMOTE_ADDR=home[person.pk])
    attacker = ApiClient(REMOTE_ADDR="192.0.2.66")
    for person in people:
        for _ in range(8):
            answer = attacker.post("auth/login/", {"email": person.email, "password": WRONG})
    assert answer.status_code == 429
    for person in people:
        there = ApiClient(REMOTE_ADDR=home[person.pk])
        answer = there.post("auth/login/", {"email": person.email, "password": PASSWORD})
        assert answer.status_code == 200


@pytest.mark.usefixtures("redis_gone")
def test_wrong_passwords_are_limited_without_redis() -> None:
    """The limits on guessing lie in PostgreSQL."""
    user = user_make()
    client = ApiClient(REMOTE_ADDR="192.0.2.66")
    body = {"email": user.email, "password": WRONG}
    answers = [client.post("auth/login/", body).status_code for _ in range(15)]
    assert 429 in answers
    assert answers[-1] == 429
    assert answers.count(401) <= 10
