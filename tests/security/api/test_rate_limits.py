"""The rate limits as staff handle them; what they do is in test_throttling."""

from __future__ import annotations

import uuid

import pytest
from pytest_django import DjangoAssertNumQueries as Counting

from audit.models import Event
from security.models import RateLimitPolicy
from tests.accounts.factories import user_make
from tests.fixtures import ApiClient, client_make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_rules")]


@pytest.fixture
def operator() -> ApiClient:
    """Somebody in the role that looks after the door."""
    return client_make(user_make(role="operator"))


def test_list_shows_the_limits(operator: ApiClient, django_assert_num_queries: Counting) -> None:
    """All of them, each with whom it counts."""
    operator.get("security/rate-limits/")
    # session and user, permissions, the page
    with django_assert_num_queries(3):
        answer = operator.get("security/rate-limits/?page_size=200")
    found = {(row["scope"], row["key"]) for row in answer.json()["results"]}
    assert found == set(RateLimitPolicy.objects.values_list("scope", "key"))


def test_update_holds_and_is_told(operator: ApiClient) -> None:
    """The new numbers, an event with before and after; another property is none of it."""
    row = RateLimitPolicy.objects.get(scope="reads", key="user")
    path = f"security/rate-limits/{row.uid}/"
    answer = operator.patch(path, {"requests": 7})
    assert (answer.status_code, answer.json()["requests"]) == (200, 7)
    assert operator.get(path).json() == answer.json()
    event = Event.objects.get(action="rate_limit.updated")
    assert event.detail.content["changes"]["requests"]["after"] in {7, "7"}
    assert operator.patch(path, {"scope": "writes"}).json()["code"] == "unknown_property"
    for wrong in ({"requests": 0}, {"seconds": 86_401}, {"enabled": "yes"}, {"requests": 2**31}):
        assert operator.patch(path, wrong).status_code == 400
    assert operator.patch(f"security/rate-limits/{uuid.uuid4()}/", {}).status_code == 404


def test_limits_are_for_those_who_hold_the_permission(client_for: object) -> None:
    """403 that names it."""
    client = client_make(user_make())
    row = RateLimitPolicy.objects.first()
    assert row
    path = f"security/rate-limits/{row.uid}/"
    answers = [client.get("security/rate-limits/"), client.get(path), client.patch(path, {"enabled": False})]
    assert [answer.json()["permission"] for answer in answers] == [
        "security.view_ratelimitpolicy",
        "security.view_ratelimitpolicy",
        "security.change_ratelimitpolicy",
    ]
