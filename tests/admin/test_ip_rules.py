"""IP rules in the admin, over plain requests."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.services import admin_create
from audit.models import Event
from security.models import IPRule
from security.services import ip_rule_create
from tests.accounts.factories import PASSWORD
from tests.actors import command

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_rules")]
ADD = "/admin/security/iprule/add/"


@pytest.fixture
def staff() -> Client:
    """An administrator who has signed in to the admin."""
    admin_create(actor=command(), email="boss@example.org", password=PASSWORD)
    client = Client()
    client.post("/admin/login/", {"username": "boss@example.org", "password": PASSWORD})
    return client


def added(client: Client, **values: Any) -> str:
    """What the page says after a rule was typed into it."""
    sent = {"effect": "block", "reason": "", "expires_at_0": "", "expires_at_1": "", **values}
    return client.post(ADD, sent, follow=True).content.decode()


def test_add_makes_a_rule_by_the_service(staff: Client) -> None:
    """With an event, the canonical network and whose it is."""
    assert staff.get(ADD).status_code == 200
    added(staff, network="192.0.2.77/24", reason="Scrapes")
    row = IPRule.objects.get()
    assert (row.network, row.origin, row.reason) == ("192.0.2.0/24", "staff", "Scrapes")
    assert Event.objects.get(action="ip_rule.created").actor_kind == "user"


@pytest.mark.parametrize(
    ("network", "said"),
    [
        ("nowhere", "This is no address and no CIDR."),
        ("127.0.0.1", "It would keep out 127.0.0.1"),
        ("10.0.0.0/8", "is wider than /16"),
    ],
)
def test_add_that_is_refused_says_why(staff: Client, network: str, said: str) -> None:
    """In the refusal's own words, and nothing is made."""
    assert said in added(staff, network=network)
    assert not IPRule.objects.exists()


def test_add_with_force_is_taken(staff: Client) -> None:
    """Who means it says so."""
    added(staff, network="10.0.0.0/8", force="on")
    assert IPRule.objects.get().network == "10.0.0.0/8"


def test_change_and_remove_go_through_services(staff: Client) -> None:
    """The reason changes, the network doesn't; the action takes it away."""
    row = ip_rule_create(actor=command(), network="192.0.2.0/24")
    page = f"/admin/security/iprule/{row.pk}/change/"
    sent = {"network": "203.0.113.0/24", "reason": "New", "expires_at_0": "", "expires_at_1": ""}
    staff.post(page, sent)
    row.refresh_from_db()
    assert (row.network, row.reason) == ("192.0.2.0/24", "New")
    staff.post("/admin/security/iprule/", {"action": "remove", "_selected_action": [row.pk]})
    assert not IPRule.objects.exists()
    actions = Event.objects.filter(action__startswith="ip_rule.").order_by("sequence")
    assert list(actions.values_list("action", flat=True))[1:] == ["ip_rule.updated", "ip_rule.removed"]
