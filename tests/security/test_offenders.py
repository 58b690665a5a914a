"""Automatic blocks of addresses that go on after being refused."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any

import pytest
from django.db.models import F
from pytest_django import DjangoAssertNumQueries

from audit.models import Event
from security.abuse import offence_note, offences
from security.ip_rules import rules
from security.models import IPRule, Offender, RateLimitPolicy
from security.services import ip_rule_create, offences_record
from tests.actors import command
from tests.fixtures import ApiClient, client_make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_rules")]
HERE = "192.0.2.1"
NETWORK = "192.0.2.1/32"


@pytest.fixture(autouse=True)
def _limits(settings: Any) -> Iterator[None]:
    settings.RATELIMIT_ENABLE, settings.AUTOBLOCK_SCORE = True, 20
    offences._entries.clear()
    yield
    offences._entries.clear()


def offend(score: float = 20, address: str = HERE) -> IPRule | None:
    """The block of an address after so many refusals."""
    offences_record(offences={address: score})
    rules.forget()
    return IPRule.objects.filter(effect="block").first()


def lifetime(rule: IPRule | None) -> dt.timedelta:
    """How long the rule holds, to the microsecond."""
    assert rule is not None
    assert rule.expires_at is not None
    return rule.expires_at - rule.created_at


def earlier(hours: float) -> None:
    """Let so much time pass since the offenders were last refused and blocked."""
    passed = dt.timedelta(hours=hours)
    Offender.objects.update(updated_at=F("updated_at") - passed, blocked_at=F("blocked_at") - passed)
    IPRule.objects.update(expires_at=F("expires_at") - passed)


def test_score_blocks_for_a_quarter_of_an_hour() -> None:
    """One event says that, whom and why; the score begins anew."""
    assert offend(19.9) is None
    rule = offend(0.2)
    assert lifetime(rule) == dt.timedelta(minutes=15)
    assert rule is not None
    assert (rule.network, rule.origin) == (NETWORK, "automatic")
    assert ApiClient(REMOTE_ADDR=HERE).get("me/").json()["code"] == "address_blocked"
    event = Event.objects.get(action="ip_rule.created")
    assert event.facts == {"score": 20, "blocks": 1}
    assert event.detail.content["actor"] == "automatic block"
    assert Offender.objects.get().score == 0


def test_score_halves_each_hour() -> None:
    """Who is refused now and then is never blocked."""
    offend(16)
    earlier(hours=1)
    assert offend(11) is None
    assert Offender.objects.get().score == pytest.approx(19, abs=0.1)
    earlier(hours=5_000)
    assert offend(1) is None
    assert Offender.objects.get().score == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(("blocks", "minutes"), [(1, 30), (3, 120), (6, 960), (7, 1_440), (200, 1_440)])
def test_block_doubles_up_to_a_day(blocks: int, minutes: int) -> None:
    """By the blocks of the last days."""
    Offender.objects.create(network=NETWORK, blocks=blocks, blocked_at=command().now)
    assert lifetime(offend()) == dt.timedelta(minutes=minutes)


def test_block_is_short_again_after_quiet_days() -> None:
    """A day takes one block off; an address gets a new owner in time."""
    Offender.objects.create(
        network=NETWORK, blocks=3, blocked_at=command().now - dt.timedelta(days=2, hours=1)
    )
    assert lifetime(offend()) == dt.timedelta(minutes=30)
    assert Offender.objects.get().blocks == 2


def test_block_of_one_who_comes_back_follows_the_last() -> None:
    """The rule that ran out makes way for a longer one."""
    offend()
    earlier(hours=1)
    assert lifetime(offend()) == dt.timedelta(minutes=30)
    assert IPRule.objects.count() == 1
    actions = Event.objects.filter(action__startswith="ip_rule.").order_by("sequence")
    assert list(actions.values_list("action", flat=True)) == [
        "ip_rule.created",
        "ip_rule.removed",
        "ip_rule.created",
    ]


def test_refusals_that_come_late_lengthen_nothing() -> None:
    """Each process writes its own count, and some of them after the block was made."""
    first = offend()
    again = offend(500)
    assert first is not None
    assert again is not None
    assert (again.pk, again.expires_at) == (first.pk, first.expires_at)
    assert (Offender.objects.get().score, Offender.objects.get().blocks) == (0, 1)


def test_block_of_staff_for_good_stays() -> None:
    """What people decided is not shortened by a machine."""
    made = ip_rule_create(actor=command(), network=NETWORK, reason="For good")
    rule = offend()
    assert rule is not None
    assert (rule.pk, rule.expires_at, rule.reason) == (made.pk, None, "For good")


@pytest.mark.parametrize("network", [NETWORK, "192.0.2.0/24"])
def test_allowed_address_is_never_blocked(network: str) -> None:
    """The rule that lets it in may be wider than the block would be."""
    ip_rule_create(actor=command(), network=network, effect="allow")
    assert offend(1_000) is None


def test_block_of_ipv6_is_of_the_64(settings: Any) -> None:
    """Refused under one address, blocked under all that its owner has."""
    for number in range(4):
        offence_note(f"2001:db8::{number + 1}", guess=True)
    offences.flush()
    assert IPRule.objects.get().network == "2001:db8::/64"


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1", "10.0.0.7", ""])
def test_loopback_and_proxies_are_never_noted(settings: Any, address: str) -> None:
    """They stand for everybody."""
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    offence_note(address, guess=True)
    assert not offences._entries


def test_nothing_is_noted_when_switched_off(settings: Any) -> None:
    """CLOUDSCRIBE_AUTOBLOCK_SCORE=0."""
    settings.AUTOBLOCK_SCORE = 0
    offence_note(HERE, guess=True)
    assert not offences._entries


def test_many_offenders_cost_one_statement(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """However many were refused in two seconds."""
    with django_assert_num_queries(3):  # BEGIN, the scores, COMMIT
        offences_record(offences={f"198.51.100.{n}": 1.0 for n in range(200)})
    assert Offender.objects.count() == 200


def test_flood_of_a_stranger_ends_in_a_block() -> None:
    """Refused by the limit again and again, then not answered at all; others don't notice."""
    RateLimitPolicy.objects.filter(scope="reads", key="address").update(requests=2, seconds=86_400)
    flood, other = ApiClient(REMOTE_ADDR=HERE), ApiClient(REMOTE_ADDR="192.0.2.2")
    assert [flood.get("me/").status_code for _ in range(22)].count(429) == 20
    offences.flush()
    rules.forget()
    assert flood.get("me/").status_code == 403
    assert other.get("me/").status_code == 401


def test_flood_of_refused_sign_ins_counts_fivefold() -> None:
    """Ten wrong passwords are free, four more are twenty."""
    client = ApiClient(REMOTE_ADDR=HERE)
    body = {"email": "ada@example.org", "password": "wrong-password-9"}
    answers = [client.post("auth/login/", body).status_code for _ in range(9)]
    answers += [client.post("auth/login/", body).status_code for _ in range(9)]
    refused = answers.count(429)
    assert refused >= 4
    assert offences._entries == {HERE: refused * 5.0}


def test_flood_of_somebody_signed_in_blocks_nobody() -> None:
    """They may share the address with their whole office, and are known by more than it."""
    RateLimitPolicy.objects.filter(scope="reads", key="user").update(requests=2, seconds=86_400)
    client = client_make(REMOTE_ADDR=HERE)
    assert [client.get("me/").status_code for _ in range(30)].count(429) == 28
    assert not offences._entries


def test_flood_by_a_proxy_that_nobody_named_blocks_nobody() -> None:
    """A private peer that speaks for others is no client: to block it would block all of them."""
    RateLimitPolicy.objects.filter(scope="reads", key="address").update(requests=2, seconds=86_400)
    proxy, stranger = ApiClient(REMOTE_ADDR="172.18.0.2"), ApiClient(REMOTE_ADDR="93.184.215.14")
    for client in (proxy, stranger):
        answers = [client.get("me/", **{"X-Forwarded-For": f"203.0.113.{n}"}).status_code for n in range(9)]
        assert answers.count(429) == 7
    assert offences._entries == {"93.184.215.14": 7.0}
