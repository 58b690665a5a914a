"""Refusals on the record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError

from audit import denials
from audit.denials import DenialLog, denial_record
from audit.models import Event
from audit.services import Target
from cloudscribe.lib.context import RequestContext, request_context
from tests.accounts.factories import user_make
from tests.jobs.factories import person

pytestmark = pytest.mark.django_db

USER = Target("user", None, "ann@example.org")


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A log of its own for each test, and its clock in seconds."""
    now = [1000.0]
    monkeypatch.setattr(denials, "denials", DenialLog())
    monkeypatch.setattr("audit.denials.time.monotonic", lambda: now[0])
    return now


def failed(address: str = "192.0.2.1", code: str = "invalid_credentials") -> None:
    """A failed sign-in from an address."""
    with request_context(RequestContext("request-0001", address)):
        denial_record(actor=None, action="login.failed", target=USER, route="auth/login/", code=code)


def counts() -> list[tuple[str, int]]:
    """Actions and counts, oldest first."""
    return list(Event.objects.order_by("sequence").values_list("action", "count"))


def test_403_is_on_the_record_at_once(client_for: Callable[..., Any]) -> None:
    """An authenticated 403 is an event with actor, route and code."""
    user = user_make(role="member")
    answer = client_for(user).get("audit/events/")
    assert answer.status_code == 403
    event = Event.objects.get(action="access.denied")
    assert (event.actor_uid, event.credential_kind, event.count) == (user.uid, "session", 1)
    assert event.facts["code"] == "permission_denied"
    assert event.facts["route"].endswith("audit/events/")
    assert event.request_id == answer.headers["X-Request-ID"]
    assert event.detail.content["address"] == "127.0.0.1"


def test_404_and_401_are_not_on_the_record(client_for: Callable[..., Any], anonymous: Any) -> None:
    """No stranger can fill the trail."""
    before = Event.objects.count()
    assert anonymous.get("audit/events/").status_code == 401
    client = client_for()
    signed_in = Event.objects.count()
    assert client.get("jobs/018f0000-0000-7000-8000-000000000000/").status_code == 404
    assert Event.objects.count() == signed_in
    assert before == 0


def test_repeats_of_a_minute_are_one_event(clock: list[float]) -> None:
    """The first is written at once, its repeats together when the minute is over."""
    for _ in range(50):
        failed()
    assert counts() == [("login.failed", 1)]
    clock[0] += 59
    denials.denials.flush()
    assert counts() == [("login.failed", 1)]
    clock[0] += 1
    denials.denials.flush()
    assert counts() == [("login.failed", 1), ("login.failed", 49)]
    assert Event.objects.latest("sequence").detail.content["address"] == "192.0.2.1"


def test_first_of_the_next_minute_is_written_at_once(clock: list[float]) -> None:
    """A minute that is over counts no longer, whether or not it was looked at meanwhile."""
    failed()
    failed()
    clock[0] += 61
    failed()
    assert counts() == [("login.failed", 1), ("login.failed", 1), ("login.failed", 1)]
    denials.denials.flush(all_of_them=True)
    assert len(counts()) == 3


def test_a_minute_without_repeats_leaves_one_event(clock: list[float]) -> None:
    """Nothing is added where nothing was repeated."""
    failed()
    clock[0] += 61
    denials.denials.flush()
    assert counts() == [("login.failed", 1)]


def test_different_refusals_are_told_apart() -> None:
    """Another address, code or person is another refusal."""
    failed()
    failed(address="192.0.2.2")
    failed(code="mfa_required")
    for _ in range(2):
        denial_record(
            actor=person(), action="access.denied", target=Target("route", None, "r"), route="r", code="c"
        )
    assert len(counts()) == 5


def test_many_kinds_of_refusals_stay_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond a number of open minutes refusals are counted together, so that memory and trail stay small."""
    monkeypatch.setattr(denials, "_MOST_WINDOWS", 3)
    for number in range(20):
        failed(address=f"192.0.2.{number}")
    denials.denials.flush(all_of_them=True)
    assert counts() == [("login.failed", 1)] * 4 + [("login.failed", 16)]


def test_refusal_while_the_database_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """A refusal that can't be recorded is still the refusal that it was."""

    def broken(entries: Any) -> None:
        raise DatabaseError

    monkeypatch.setattr(denials, "events_record", broken)
    failed()
    assert counts() == []
