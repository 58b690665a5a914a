"""GET audit/events/ and audit/events/{sequence}/."""

from __future__ import annotations

import datetime as dt
import time
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from django.utils.http import http_date
from pytest_django import DjangoAssertNumQueries

from audit.models import Event
from audit.services import Entry, Target, event_record, events_record
from cloudscribe.jobs.registry import autoload
from cloudscribe.jobs.runner import job_run
from cloudscribe.lib.context import RequestContext
from tests.accounts.factories import user_make
from tests.jobs.factories import operator, person

ClientFor = Callable[..., Any]

pytestmark = pytest.mark.django_db


@pytest.fixture
def auditor(client_for: ClientFor) -> Any:
    """A client of somebody in the role of auditors; the trail holds what the signing in wrote."""
    return client_for(user_make(role="auditor"))


def about(name: str = "x") -> Target:
    """Something to write about."""
    return Target("document", uuid.uuid4(), name)


def test_read_one_event(auditor: Any) -> None:
    """Every field of the contract, by the event's number."""
    actor, target, workspace = person(), about("Ownership"), uuid.uuid4()
    entry = Entry(
        actor=actor,
        action="document.updated",
        target=target,
        workspace_uid=workspace,
        changes={"title": ("Old", "New")},
        reason="tidying",
        facts={"revision": 2},
        context=RequestContext("request-0001", "192.0.2.7"),
    )
    (event,) = events_record([entry])
    answer = auditor.get(f"audit/events/{event.sequence}/")
    assert answer.status_code == 200, answer.content
    assert answer.json() == {
        "sequence": event.sequence,
        "at": event.at.isoformat().replace("+00:00", "Z"),
        "action": "document.updated",
        "actor": {"kind": "user", "id": str(actor.uid), "name": "Ann", "on_behalf_of": None},
        "credential": {"kind": "session", "id": str(actor.credential_uid)},
        "address": "192.0.2.7",
        "request_id": "request-0001",
        "target": {"type": "document", "id": str(target.uid), "name": "Ownership"},
        "workspace": str(workspace),
        "changes": {"title": {"before": "Old", "after": "New"}},
        "reason": "tidying",
        "facts": {"revision": 2},
        "count": 1,
        "erased": False,
    }


def test_read_an_event_of_nobody(auditor: Any) -> None:
    """Where nobody was signed in actor and credential are null."""
    (event,) = events_record([Entry(None, "login.failed", about(), count=7)])
    body = auditor.get(f"audit/events/{event.sequence}/").json()
    assert (body["actor"], body["credential"], body["count"]) == (None, None, 7)


def test_read_an_event_whose_person_was_erased(auditor: Any) -> None:
    """Without its detail an event tells what is not personal, and says that the rest was erased."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO audit_event (epoch, xid, at, actor_kind, credential_kind, request_id, action,"
            " target_type, facts, count, detail_hash)"
            " VALUES (0, 0, now(), 'user', 'session', '', 'a.b', 'x', '{}', 1, '')"
        )
    body = auditor.get(f"audit/events/{Event.objects.latest('sequence').sequence}/").json()
    assert (body["erased"], body["actor"]["name"], body["target"]["name"]) == (True, None, None)
    assert (body["address"], body["changes"], body["reason"]) == (None, {}, "")


@pytest.mark.parametrize("sequence", [999_999_999, 2**63, 10**30])
def test_read_an_absent_event(auditor: Any, sequence: int) -> None:
    """A number that no event has is 404."""
    assert auditor.get(f"audit/events/{sequence}/").status_code == 404


@pytest.mark.parametrize("path", ["audit/events/", "audit/events/1/"])
@pytest.mark.parametrize("role", ["member", "operator", "guest"])
def test_read_without_the_permission(client_for: ClientFor, path: str, role: str) -> None:
    """The trail is for those with the permission, which is named."""
    answer = client_for(user_make(role=role)).get(path)
    assert answer.status_code == 403
    assert answer.json()["permission"] == "audit.view_event"


def test_read_anonymous(anonymous: Any) -> None:
    """Nobody signed in: 401."""
    assert anonymous.get("audit/events/").status_code == 401


def test_list_newest_first(auditor: Any, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """Pages go from the newest event back, each event once."""
    written = events_record([Entry(operator(), "a.b", about()) for _ in range(5)])
    seen = []
    auditor.get("audit/events/?page_size=1")  # the first request of a process reads the rate limits
    # The sign-in with stamps and clock, the person's platform permissions, the page with its details.
    with django_assert_num_queries(3):
        page = auditor.get("audit/events/?action=a.b&page_size=2").json()
    seen += page["results"]
    while page["next"]:
        page = auditor.get(page["next"]).json()
        seen += page["results"]
    assert [row["sequence"] for row in seen] == [event.sequence for event in reversed(written)]
    assert auditor.get(page["previous"]).json()["results"] == seen[2:4]


def test_list_by_each_filter(auditor: Any) -> None:
    """Each filter finds the one event that is like it."""
    actor, target, workspace = person(), about(), uuid.uuid4()
    wanted = Entry(
        actor, "rare.action", target, workspace, context=RequestContext("request-rare", "2001:db8::9")
    )
    (event,) = events_record([wanted])
    events_record([Entry(person(), "a.b", about(), context=RequestContext("request-0002", "192.0.2.1"))])
    for query in (
        f"actor={actor.uid}",
        "action=rare.action",
        f"target={target.uid}",
        f"workspace={workspace}",
        "address=2001:db8:0::9",
        "request_id=request-rare",
        f"actor={actor.uid}&action=rare.action&address=2001:db8::9",
    ):
        found = auditor.get(f"audit/events/?{query}").json()["results"]
        assert [row["sequence"] for row in found] == [event.sequence], query
    assert auditor.get(f"audit/events/?actor={actor.uid}&action=a.b").json()["results"] == []


def test_list_by_time(auditor: Any) -> None:
    """Both ends of a time range belong to it."""
    first, second, third = (event_record(actor=operator(), action="a.b", target=about()) for _ in range(3))

    def found(low: dt.datetime | None, high: dt.datetime | None) -> list[int]:
        query = "action=a.b"
        query += f"&at__gte={low:%Y-%m-%dT%H:%M:%S.%fZ}" if low else ""
        query += f"&at__lte={high:%Y-%m-%dT%H:%M:%S.%fZ}" if high else ""
        return [row["sequence"] for row in auditor.get(f"audit/events/?{query}").json()["results"]]

    assert found(second.at, None) == [third.sequence, second.sequence]
    assert found(None, second.at) == [second.sequence, first.sequence]
    assert found(second.at, second.at) == [second.sequence]
    later = third.at + dt.timedelta(hours=1)
    assert found(later, None) == []
    assert found(None, first.at - dt.timedelta(days=9999)) == []


@pytest.mark.parametrize(
    "query",
    [
        "actor=me",
        "address=nowhere",
        "at__gte=yesterday",
        "at__lte=2026-01-01",
        "colour=red",
    ],
)
def test_list_by_nonsense(auditor: Any, query: str) -> None:
    """A filter that isn't one is 400 and named."""
    answer = auditor.get(f"audit/events/?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "?" + query.partition("=")[0]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_write_to_the_trail(auditor: Any, method: str) -> None:
    """There is no route that writes."""
    assert auditor.call(method, "audit/events/", {}).status_code == 405


@pytest.mark.parametrize("minutes", [-540, 9])
def test_time_of_an_event_is_the_databases(
    auditor: Any, monkeypatch: pytest.MonkeyPatch, minutes: int
) -> None:
    """However wrong the clock of a web process or worker is, and whatever a client says the time were."""
    before = clock()
    wrong = before + dt.timedelta(minutes=minutes)
    monkeypatch.setattr(time, "time", wrong.timestamp)
    monkeypatch.setattr(timezone, "now", lambda: wrong)
    answer = auditor.post("audit/events/export/", {}, Date=http_date(wrong.timestamp()))
    assert answer.status_code == 202, answer.content
    autoload()
    job_run("slow", answer.json()["id"])
    (made,) = events_record([Entry(operator(), "x.made", about())])
    asked = Event.objects.get(action="audit.exported")
    assert before <= asked.at <= made.at <= clock()


def clock() -> dt.datetime:
    """The database's, which runs on within a transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        now: dt.datetime = cursor.fetchone()[0]
    return now
