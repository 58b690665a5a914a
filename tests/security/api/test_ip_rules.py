"""IP rules: at the door, and as staff handle them."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.db.models import F
from pytest_django import DjangoAssertNumQueries as Counting

from accounts.services import admin_create
from audit.models import Event
from security.ip_rules import rules
from security.models import IPRule
from security.services import ip_rule_create, ip_rules_purge
from tests.accounts.factories import PASSWORD, user_make
from tests.actors import command
from tests.fixtures import ApiClient, client_make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_rules")]
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.1"


def rule_make(network: str = "192.0.2.0/24", **fields: Any) -> IPRule:
    """A rule that every worker knows of."""
    row = ip_rule_create(actor=command(), network=network, **fields)
    rules.forget()
    return row


@pytest.fixture
def operator() -> ApiClient:
    """Somebody in the role that looks after the door, at an address of their own."""
    return client_make(user_make(role="operator"), REMOTE_ADDR=ELSEWHERE)


PATHS = [
    "me/",
    "auth/login/",
    "nothing/",
    "/",
    "/admin/",
    "/admin/login/",
    "/api/schema/",
    "/api/docs/",
    "/metrics",
]


@pytest.mark.parametrize("path", PATHS)
def test_blocked_address_is_refused_everywhere(path: str) -> None:
    """API, admin, docs and what isn't there: 403 before anything is done."""
    rule_make()
    answer = ApiClient(REMOTE_ADDR=HERE).get(path)
    assert answer.status_code == 403
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_blocked_address_is_a_problem_without_queries(
    django_assert_num_queries: Counting,
) -> None:
    """A refusal in the form of all others, which costs the database nothing."""
    rule_make()
    client = ApiClient(REMOTE_ADDR=HERE)
    client.get("me/")
    with django_assert_num_queries(0):
        answer = client.get("me/")
    body = answer.json()
    assert (body["code"], body["error_type"], body["status"]) == ("address_blocked", "AuthError", 403)
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_blocked_address_is_refused_with_a_valid_token() -> None:
    """No credential opens a door that is shut; at another address the same one holds."""
    user = user_make()
    inside = client_make(user, REMOTE_ADDR=HERE)
    assert inside.get("me/").status_code == 200
    rule_make()
    assert inside.get("me/").status_code == 403
    assert ApiClient(inside.token, REMOTE_ADDR=ELSEWHERE).get("me/").status_code == 200


def test_blocked_administrator_is_refused() -> None:
    """Nobody is above the rules."""
    admin, _ = admin_create(actor=command(), email="boss@example.org", password=PASSWORD)
    client = client_make(admin, REMOTE_ADDR=HERE)
    rule_make()
    assert client.get("me/").status_code == 403


@pytest.mark.parametrize("path", ["/health/live", "/health/ready"])
def test_blocked_address_may_ask_for_health(path: str) -> None:
    """A probe that is blocked by mistake must not take the installation away."""
    rule_make()
    assert ApiClient(REMOTE_ADDR=HERE).get(path).status_code == 200


@pytest.mark.parametrize("address", ["2001:db8::1", "2001:db8::ffff", "2001:DB8:0:0:1::2"])
def test_blocked_prefix_of_ipv6_holds_all_its_addresses(address: str) -> None:
    """Whoever has a /64 has as many addresses as they like."""
    rule_make("2001:db8::/64")
    assert ApiClient(REMOTE_ADDR=address).get("me/").status_code == 403
    assert ApiClient(REMOTE_ADDR="2001:db8:0:1::1").get("me/").status_code == 401


def test_blocked_address_in_ipv6_clothes_is_refused() -> None:
    """::ffff:192.0.2.1 is 192.0.2.1."""
    rule_make()
    assert ApiClient(REMOTE_ADDR="::ffff:192.0.2.1").get("me/").status_code == 403


def test_blocked_address_cant_speak_for_another() -> None:
    """Headers that claim another address are nobody's."""
    rule_make()
    headers = {"X-Forwarded-For": ELSEWHERE, "X-Real-IP": ELSEWHERE, "Forwarded": f"for={ELSEWHERE}"}
    assert ApiClient(REMOTE_ADDR=HERE).get("me/", **headers).status_code == 403


def test_blocked_client_of_a_trusted_proxy_is_refused(settings: Any) -> None:
    """Behind a proxy the client's address counts, not the proxy's."""
    settings.TRUSTED_PROXIES = ["10.0.0.0/8"]
    rule_make()
    proxy = ApiClient(REMOTE_ADDR="10.0.0.1")
    assert proxy.get("me/", **{"X-Forwarded-For": HERE}).status_code == 403
    assert proxy.get("me/", **{"X-Forwarded-For": f"{ELSEWHERE}, {HERE}"}).status_code == 403
    assert proxy.get("me/", **{"X-Forwarded-For": ELSEWHERE}).status_code == 401


def test_allowed_address_in_a_blocked_network_gets_in() -> None:
    """The narrowest rule decides."""
    rule_make()
    rule_make(f"{HERE}/32", effect="allow")
    assert ApiClient(REMOTE_ADDR=HERE).get("me/").status_code == 401
    assert ApiClient(REMOTE_ADDR="192.0.2.2").get("me/").status_code == 403


def test_block_ends_at_its_moment() -> None:
    """Without a job and without a new load."""
    rule_make(expires_at=command().now + dt.timedelta(hours=1))
    assert ApiClient(REMOTE_ADDR=HERE).get("me/").status_code == 403
    rules.get().offset += 3_601
    assert ApiClient(REMOTE_ADDR=HERE).get("me/").status_code == 401


def test_rules_are_loaded_anew_only_when_they_changed(
    django_assert_num_queries: Counting,
) -> None:
    """Each turn asks for a mark: 10,000 rows are read when one of them is another."""
    row = rule_make()
    rules.refresh()
    with django_assert_num_queries(1):  # count, sum of times, highest id, clock
        rules.refresh()
    later = F("updated_at") + dt.timedelta(seconds=1)
    IPRule.objects.filter(pk=row.pk).update(expires_at=F("created_at"), updated_at=later)
    with django_assert_num_queries(2):  # the mark, the rows
        rules.refresh()
    assert not rules.get().blocks(HERE)
    IPRule.objects.all().delete()
    with django_assert_num_queries(2):  # the mark, the rows
        rules.refresh()
    assert rules.get().empty


@pytest.mark.usefixtures("redis_gone")
def test_block_holds_without_redis() -> None:
    """The rules lie in PostgreSQL."""
    rule_make()
    assert ApiClient(REMOTE_ADDR=HERE).get("me/").status_code == 403


def test_create_as_operator_blocks(operator: ApiClient) -> None:
    """201 with the canonical network, an event and auditlog's entry; the door shuts."""
    answer = operator.post("security/ip-rules/", {"network": "192.0.2.77/24", "reason": "Scrapes"})
    assert answer.status_code == 201, answer.content
    body = answer.json()
    row = IPRule.objects.get()
    assert body == {
        "id": str(row.uid),
        "network": "192.0.2.0/24",
        "effect": "block",
        "origin": "staff",
        "reason": "Scrapes",
        "expires_at": None,
        "created_by": str(operator.user.uid),  # type: ignore[union-attr]
        "created_at": body["created_at"],
        "updated_at": body["updated_at"],
    }
    assert operator.get(answer.headers["Location"]).json() == body
    event = Event.objects.get(action="ip_rule.created")
    assert (event.target_uid, event.actor_uid) == (row.uid, operator.user.uid)  # type: ignore[union-attr]
    assert event.detail.content["changes"]["network"] == {"before": None, "after": "192.0.2.0/24"}
    assert event.log_entry == LogEntry.objects.get_for_object(row).get().pk
    rules.forget()
    assert ApiClient(REMOTE_ADDR=HERE).get("me/").status_code == 403


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"network": "nowhere"}, "/network", "invalid_network"),
        ({"network": "fe80::1%eth0"}, "/network", "invalid_network"),
        ({"network": 7}, "/network", "invalid"),
        ({}, "/network", "required"),
        ({"network": "192.0.2.1", "effect": "maybe"}, "/effect", "invalid_choice"),
        ({"network": "192.0.2.1", "expires_at": "2020-01-01T00:00:00Z"}, "/expires_at", "in_the_past"),
        ({"network": "192.0.2.1", "expires_at": "tomorrow"}, "/expires_at", "offset"),
        ({"network": "192.0.2.1", "origin": "automatic"}, "/origin", "unknown_property"),
    ],
)
def test_create_of_nonsense_is_400(
    operator: ApiClient, body: dict[str, Any], pointer: str, code: str
) -> None:
    """Each fault is pointed at."""
    answer = operator.post("security/ip-rules/", body)
    assert answer.status_code == 400
    assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [(pointer, code)]


def test_create_of_the_same_twice_is_409(operator: ApiClient) -> None:
    """One rule a network and effect, named in the refusal; what has run out makes way."""
    first = operator.post("security/ip-rules/", {"network": "192.0.2.0/24"}).json()
    again = operator.post("security/ip-rules/", {"network": "192.0.2.9/24"})
    assert (again.status_code, again.json()["code"], again.json()["rule"]) == (
        409,
        "ip_rule_exists",
        first["id"],
    )
    assert (
        operator.post("security/ip-rules/", {"network": "192.0.2.0/24", "effect": "allow"}).status_code == 201
    )
    IPRule.objects.update(expires_at=F("created_at") - dt.timedelta(hours=1))
    assert operator.post("security/ip-rules/", {"network": "192.0.2.0/24"}).status_code == 201


@pytest.mark.parametrize("network", ["198.51.100.1", "198.51.100.0/24", "198.51.0.0/16"])
def test_create_against_oneself_takes_force(operator: ApiClient, network: str) -> None:
    """409 and nothing stands, not even an event."""
    answer = operator.post("security/ip-rules/", {"network": network})
    assert (answer.status_code, answer.json()["code"]) == (409, "locks_you_out")
    assert not IPRule.objects.exists()
    assert not Event.objects.filter(action="ip_rule.created").exists()
    assert operator.post("security/ip-rules/", {"network": network, "force": True}).status_code == 201


def test_create_around_an_own_allowed_address_needs_no_force(operator: ApiClient) -> None:
    """Whoever is let in by a narrower rule locks nobody out that matters to them."""
    operator.post("security/ip-rules/", {"network": f"{ELSEWHERE}/32", "effect": "allow"})
    assert operator.post("security/ip-rules/", {"network": "198.51.100.0/24"}).status_code == 201


@pytest.mark.parametrize("network", ["0.0.0.0/0", "10.0.0.0/8", "::/0", "2001::/16"])
def test_create_of_a_very_wide_block_takes_force(operator: ApiClient, network: str) -> None:
    """A slip of the finger must not shut out half of the world; to let it in needs no force."""
    answer = operator.post("security/ip-rules/", {"network": network})
    assert (answer.status_code, answer.json()["code"]) == (409, "network_too_wide")
    assert operator.post("security/ip-rules/", {"network": network, "effect": "allow"}).status_code == 201


def test_update_changes_reason_and_expiry(operator: ApiClient) -> None:
    """The event tells before and after; the same again is no event."""
    row = rule_make(reason="Old")
    path = f"security/ip-rules/{row.uid}/"
    assert operator.patch(path, {"reason": "New"}).json()["reason"] == "New"
    assert operator.patch(path, {"reason": "New"}).status_code == 200
    event = Event.objects.get(action="ip_rule.updated")
    assert event.detail.content["changes"] == {"reason": {"before": "Old", "after": "New"}}
    assert operator.patch(path, {"expires_at": "2020-01-01T00:00:00Z"}).status_code == 400
    assert operator.patch(path, {"network": "192.0.2.1"}).json()["code"] == "unknown_property"


def test_update_that_wakes_a_rule_against_oneself_takes_force(operator: ApiClient) -> None:
    """A rule that has run out, made to hold again."""
    row = rule_make("198.51.100.0/24")
    IPRule.objects.update(expires_at=F("created_at") - dt.timedelta(hours=1))
    path = f"security/ip-rules/{row.uid}/"
    assert operator.patch(path, {"expires_at": None}).json()["code"] == "locks_you_out"
    assert operator.patch(path, {"expires_at": None, "force": True}).status_code == 200


def test_remove_opens_the_door(operator: ApiClient) -> None:
    """204, an event with what it was, 404 afterwards."""
    row = rule_make()
    path = f"security/ip-rules/{row.uid}/"
    assert operator.delete(path).status_code == 204
    rules.forget()
    assert ApiClient(REMOTE_ADDR=HERE).get("me/").status_code == 401
    assert operator.delete(path).status_code == 404
    event = Event.objects.get(action="ip_rule.removed")
    assert event.detail.content["changes"]["network"] == {"before": "192.0.2.0/24", "after": None}


def test_remove_of_what_lets_oneself_in_takes_force(operator: ApiClient) -> None:
    """The rule that alone keeps the door open for who takes it away."""
    allow = rule_make(f"{ELSEWHERE}/32", effect="allow")
    rule_make("198.51.100.0/24")
    path = f"security/ip-rules/{allow.uid}/"
    assert operator.delete(path).json()["code"] == "locks_you_out"
    assert IPRule.objects.count() == 2
    assert operator.delete(f"{path}?force=true").status_code == 204


@pytest.mark.parametrize("role", ["member", "guest", "auditor"])
def test_rules_are_for_those_who_hold_the_permission(role: str) -> None:
    """403 that names it, for each verb."""
    row = rule_make()
    client = client_make(user_make(role=role))
    path = f"security/ip-rules/{row.uid}/"
    answers = [
        client.get("security/ip-rules/"),
        client.post("security/ip-rules/", {"network": "203.0.113.1"}),
        client.get(path),
        client.patch(path, {"reason": "x"}),
        client.delete(path),
    ]
    assert [answer.json()["permission"] for answer in answers] == [
        f"security.{verb}_iprule" for verb in ("view", "add", "view", "change", "delete")
    ]


def test_list_is_newest_first_and_filtered(operator: ApiClient, django_assert_num_queries: Counting) -> None:
    """A page of them, by effect and origin."""
    block, allow = rule_make(), rule_make("203.0.113.0/24", effect="allow")
    operator.get("security/ip-rules/")
    # session and user, permissions, the page
    with django_assert_num_queries(3):
        answer = operator.get("security/ip-rules/")
    assert [row["id"] for row in answer.json()["results"]] == [str(allow.uid), str(block.uid)]
    found = operator.get("security/ip-rules/?effect=allow&origin=command").json()["results"]
    assert [row["id"] for row in found] == [str(allow.uid)]
    assert operator.get("security/ip-rules/?effect=maybe").status_code == 400


def test_detail_costs_three_queries(operator: ApiClient, django_assert_num_queries: Counting) -> None:
    """Session and user, permissions, the row."""
    path = f"security/ip-rules/{rule_make().uid}/"
    operator.get(path)
    with django_assert_num_queries(3):
        operator.get(path)


def test_purge_takes_what_ran_out_a_month_ago() -> None:
    """Rules that hold or have just run out stay."""
    old, fresh = rule_make(), rule_make("203.0.113.0/24")
    rule_make("203.0.114.0/24")
    IPRule.objects.filter(pk=old.pk).update(expires_at=F("created_at") - dt.timedelta(days=31))
    IPRule.objects.filter(pk=fresh.pk).update(expires_at=F("created_at") - dt.timedelta(days=29))
    assert ip_rules_purge() == 1
    assert IPRule.objects.count() == 2
