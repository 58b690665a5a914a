"""manage.py read_only, and what its promise stands on: who was let in before, transactions, two at once."""

from __future__ import annotations

import datetime as dt
import io
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import F

from audit.models import Event
from cloudscribe.lib.gate import StrictJSONParser
from cloudscribe.management.health import Verdict, check_read_only
from documents.models import Workspace
from security import read_only
from security.models import ReadOnly
from security.read_only import is_frozen, standing
from security.readings import read_only as read_only_reading
from security.services import read_only_start
from tests.actors import command
from tests.fixtures import client_make
from tests.jobs.factories import back_date, claimed

pytestmark = pytest.mark.django_db(transaction=True)
QUIET = "Nothing is changed from now on; people read on, jobs and deliveries wait for `off`.\n"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no other process to wait for."""
    monkeypatch.setattr(read_only, "SETTLED", 0.0)
    monkeypatch.setattr(standing, "_value", standing._value)


@pytest.fixture
def other() -> Iterator[Any]:
    """Another session of the application's, in which a transaction can be begun."""
    session = connection.copy()
    session.set_autocommit(False)
    yield session
    session.rollback()
    session.close()


def said(*words: str) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("read_only", *words, stdout=out)
    return out.getvalue()


def refused(*words: str) -> CommandError:
    """The error that the command ends with."""
    with pytest.raises(CommandError) as error:
        said(*words)
    return error.value


def events() -> list[tuple[str, str, str, str]]:
    """What is on the record of it: action, kind and name of the actor, reason."""
    rows = Event.objects.filter(action__startswith="read_only.").order_by("sequence")
    return [
        (row.action, row.actor_kind, row.detail.content["actor"], row.detail.content.get("reason") or "")
        for row in rows
    ]


def test_on_and_off_are_on_the_record() -> None:
    """One event each, by the command, with the reason."""
    begun = "Read-only is on. Waiting for what is under way.\n"
    assert said("on", "--reason", "Moving  house") == begun + QUIET
    assert is_frozen()
    assert said("off") == "Read-only is off: every process lets people write within five seconds.\n"
    assert not is_frozen()
    assert events() == [
        ("read_only.started", "command", "read_only", "Moving house"),
        ("read_only.ended", "command", "read_only", ""),
    ]


def test_on_again_says_since_when_and_changes_nothing() -> None:
    """Exit code 0, no second event, the first one's time and reason."""
    said("on", "--reason", "Moving house")
    row = ReadOnly.objects.get()
    already = (
        f"Read-only is on already, since {row.since.isoformat(timespec='seconds')}, because: Moving house\n"
    )
    assert said("on") == already + QUIET
    kept = "The reason stays; for another one say `off` first.\n"
    assert said("on", "--reason", "Other") == already + kept + QUIET
    assert ReadOnly.objects.values().get() == {"id": 1, "reason": "Moving house", "since": row.since}
    assert len(events()) == 1


def test_off_again_says_so() -> None:
    """Exit code 0, no event."""
    assert said("off") == "Read-only is off already.\n"
    assert events() == []


@pytest.mark.parametrize(
    "words",
    [
        ["on", "--wait", "-1"],
        ["on", "--reason", "x" * 501],
        ["on", "--reason", "a\x1bb"],
        ["on", "--reason", "\udcff"],
        ["off", "--reason", "x"],
    ],
)
def test_used_wrongly_is_2(words: list[str]) -> None:
    """And changes nothing."""
    assert refused(*words).returncode == 2
    assert not is_frozen()


def test_who_works_through_a_queue_asks_once_a_second(
    monkeypatch: pytest.MonkeyPatch, django_assert_num_queries: Any
) -> None:
    """And not before each job."""
    monkeypatch.setattr(read_only, "ASK_AGAIN", 1_000.0)
    monkeypatch.setattr(read_only, "_asked", None)
    with django_assert_num_queries(1):
        assert not any(is_frozen() for _ in range(10))


def test_two_at_once_are_one() -> None:
    """One row and one event, whoever wins."""
    start, made = threading.Barrier(4), list[bool]()

    def act() -> None:
        start.wait(5)
        made.append(read_only_start(actor=command())[1])
        connection.close()

    threads = [threading.Thread(target=act) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(made) == [False, False, False, True]
    assert len(events()) == 1


def test_event_that_cannot_be_written_freezes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are one transaction."""
    monkeypatch.setattr("audit.services.events._RECORD", "SELECT cs_audit_broken(%s::jsonb)")
    with pytest.raises(Exception, match="cs_audit_broken"):
        said("on")
    assert not is_frozen()


def test_on_waits_for_a_transaction_that_began_before(other: Any) -> None:
    """It may have written nothing yet; the command names it, and is done when it is over."""
    other.cursor().execute("SELECT 1")
    error = refused("on", "--wait", "0")
    assert error.returncode == 1
    assert re.search(r"a transaction of cloudscribe-web for \d+ s \(PostgreSQL's process \d+\)", str(error))
    assert is_frozen()
    other.rollback()
    assert said("on").endswith(QUIET)


def test_on_waits_for_a_running_job() -> None:
    """The lease tells who is alive: what a dead worker held holds up nobody."""
    job = claimed(kind="test.kind")
    error = refused("on", "--wait", "0")
    assert error.returncode == 1
    assert f"job {job.uid}, test.kind" in str(error)
    back_date(job, 3_600, "lease_until")
    assert said("on").endswith(QUIET)


def test_write_that_was_let_in_before_begins_nothing_after(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that takes long: its request passed the door, and finds the installation frozen behind it."""
    client, read = client_make(), StrictJSONParser.parse

    def slowly(*args: Any, **kwargs: Any) -> Any:
        said("on")
        standing.refresh()
        return read(*args, **kwargs)

    monkeypatch.setattr(StrictJSONParser, "parse", slowly)
    answer = client.post("workspaces/", {"name": "World"})
    assert (answer.status_code, answer.json()["code"]) == (503, "read_only")
    assert not Workspace.objects.exists()


def test_write_that_was_let_in_before_leaves_its_key_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """The refusal isn't kept as the answer to its Idempotency-Key."""
    client, read = client_make(), StrictJSONParser.parse

    def slowly(*args: Any, **kwargs: Any) -> Any:
        said("on")
        standing.refresh()
        return read(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(StrictJSONParser, "parse", slowly)
        assert client.post("workspaces/", {"name": "World"}, Idempotency_Key="once").status_code == 503
    said("off")
    standing.refresh()
    assert client.post("workspaces/", {"name": "World"}, Idempotency_Key="once").status_code == 201


def test_doctor_tells_since_when_and_why() -> None:
    """With what to do when it is over; the exit code stays that of a sound installation."""
    (finding,) = check_read_only()
    assert (finding.verdict, finding.detail) == (Verdict.OK, "goes on")
    said("on", "--reason", "Moving house")
    (finding,) = check_read_only()
    since = ReadOnly.objects.get().since.isoformat(timespec="seconds")
    assert (finding.verdict, finding.detail) == (
        Verdict.WARN,
        f"read-only since {since}, because: Moving house",
    )
    assert "read_only off" in finding.remedy


def test_commands_are_not_held_back() -> None:
    """Whoever has the shell knows."""
    said("on")
    call_command("block_ip", "192.0.2.7", stdout=io.StringIO())
    assert Event.objects.filter(action="ip_rule.created").exists()


def test_gauge_tells_for_how_long() -> None:
    """0 where people can write."""
    assert [float(number) for (number,) in read_only_reading()] == [0]
    said("on")
    ReadOnly.objects.update(since=F("since") - dt.timedelta(hours=1))
    ((seconds,),) = read_only_reading()
    assert 3_600 <= seconds < 3_660
