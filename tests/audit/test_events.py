"""Writing events, and what nobody can do to them."""

from __future__ import annotations

import hashlib
import itertools
import uuid
from typing import Any

import pytest
from django.conf import settings
from django.db import DatabaseError, DataError, connection, transaction
from django.db.transaction import TransactionManagementError
from pytest_django import DjangoAssertNumQueries

from audit.models import Epoch, Event, EventDetail
from audit.services import Entry, Target, event_along, event_record, events_record, partitions_ensure
from cloudscribe.lib.context import RequestContext, request_context
from cloudscribe.lib.postgresql.base import prepared_rows
from tests.jobs.factories import operator, person

pytestmark = pytest.mark.django_db


def target() -> Target:
    """Something to write about."""
    return Target("document", uuid.uuid4(), "Ownership")


def record(action: str = "document.updated", **options: Any) -> Event:
    """One event by somebody."""
    return event_record(actor=options.pop("actor", person()), action=action, target=target(), **options)


def test_record_one(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """An event holds who, by what, where from and what; one round trip writes it with its detail."""
    actor, workspace, about = person(), uuid.uuid4(), target()
    with (
        request_context(RequestContext("request-0001", "2001:db8::7")),
        django_assert_num_queries(1),  # the function that inserts both
    ):
        written = event_record(
            actor=actor,
            action="document.updated",
            target=about,
            workspace_uid=workspace,
            changes={"title": ("Old", "New"), "revision": (1, 2)},
            reason="tidying",
            facts={"root": "r"},
        )
    event = Event.objects.get()
    assert {name: getattr(event, name) for name in vars(written) if not name.startswith("_")} == {
        name: getattr(written, name) for name in vars(written) if not name.startswith("_")
    }
    assert (event.actor_kind, event.actor_uid) == ("user", actor.uid)
    assert (event.credential_kind, event.credential_uid) == ("session", actor.credential_uid)
    assert (event.action, event.target_type, event.target_uid) == ("document.updated", "document", about.uid)
    assert (event.workspace_uid, event.request_id, event.count) == (workspace, "request-0001", 1)
    assert event.facts == {"root": "r"}
    assert event.detail.address == "2001:db8::7"
    assert event.detail.content == {
        "actor": "Ann",
        "address": "2001:db8::7",
        "changes": {"title": {"before": "Old", "after": "New"}, "revision": {"before": 1, "after": 2}},
        "reason": "tidying",
        "target": "Ownership",
    }


def test_record_hashes_the_personal_part() -> None:
    """The event holds SHA-256(salt || text) of its detail, and nothing personal itself."""
    event = record(reason="by Ann")
    detail = EventDetail.objects.get()
    salted = bytes(detail.salt) + detail.body.encode()
    assert bytes(event.detail_hash) == hashlib.sha256(salted).digest()
    assert len(bytes(detail.salt)) == 16


def test_record_equal_events_have_unequal_hashes() -> None:
    """The salt keeps anybody from guessing a name and trying it."""
    about, actor = target(), person()
    events = events_record([Entry(actor, "a", about), Entry(actor, "a", about)])
    assert events[0].detail_hash != events[1].detail_hash


def test_record_many_in_one_round_trip(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    """Any number is written at once, in order, each with its own detail."""
    entries = [Entry(operator(), f"a.{number}", Target("x", None, f"n{number}")) for number in range(300)]
    with django_assert_num_queries(1):  # the function that inserts all
        events = events_record(entries)
    assert [event.action for event in events] == [f"a.{number}" for number in range(300)]
    sequences = [event.sequence for event in events]
    assert all(later == earlier + 1 for earlier, later in itertools.pairwise(sequences))
    stored = Event.objects.select_related("detail").order_by("sequence")
    assert [event.detail.content["target"] for event in stored] == [f"n{number}" for number in range(300)]


def test_record_none() -> None:
    """Nothing to write is fine."""
    assert events_record([]) == []


@pytest.mark.django_db(transaction=True)
def test_record_outside_a_transaction() -> None:
    """An event apart from what it tells could tell of what never happened."""
    with pytest.raises(TransactionManagementError):
        record()


@pytest.mark.django_db(transaction=True)
def test_record_rolled_back() -> None:
    """What didn't happen isn't told; its number stays unused."""
    with transaction.atomic():
        lost = record()
        transaction.set_rollback(True)
    with transaction.atomic():
        kept = record()
    assert list(Event.objects.values_list("sequence", flat=True)) == [kept.sequence]
    assert kept.sequence > lost.sequence


def test_record_stamps_transaction_epoch_and_clock() -> None:
    """The database stamps: events of one transaction share its id, times don't go back."""
    first, second = record(), record()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_xact_id()::text::bigint")
        (xid,) = cursor.fetchone()
    assert first.xid == second.xid == xid
    assert first.epoch == Epoch.objects.get().number
    assert first.at <= second.at


def test_record_hostile_words() -> None:
    """NUL and quotes in names go in and come out as they are."""
    event_record(actor=person(name="\"'); --"), action="a", target=Target("x", None, "a\0b\\u0000 ≠ я"))
    assert EventDetail.objects.get().content["target"] == "a\0b\\u0000 ≠ я"
    assert EventDetail.objects.get().content["actor"] == "\"'); --"


FORBIDDEN = {
    "update": "UPDATE audit_event SET action = 'x'",
    "update detail": "UPDATE audit_eventdetail SET body = 'x'",
    "delete": "DELETE FROM audit_event",
    "delete detail": "DELETE FROM audit_eventdetail",
    "partition insert": "INSERT INTO audit_event_r0 SELECT * FROM audit_event",
    "partition read": "SELECT * FROM audit_event_r0",
    "partition update": "UPDATE audit_event_r0 SET action = 'x'",
    "partition delete": "DELETE FROM audit_eventdetail_r0",
    "chosen sequence": "INSERT INTO audit_event OVERRIDING SYSTEM VALUE SELECT * FROM audit_event",
    "sequence": "SELECT setval('audit_event_sequence_seq', 1)",
    "drop": "DROP TABLE audit_event",
    "triggers off": "ALTER TABLE audit_event DISABLE TRIGGER ALL",
    "epoch": "UPDATE audit_epoch SET number = 2",
    "function": "CREATE OR REPLACE FUNCTION cs_audit_refuse() RETURNS trigger LANGUAGE plpgsql AS ''",
}


@pytest.mark.parametrize("statement", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_alter_as_the_application(statement: str) -> None:
    """The application's role can add to the trail and read it, nothing else."""
    record()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert Event.objects.get().action == "document.updated"


def test_stamp_of_the_application_is_overruled() -> None:
    """Whatever time, epoch and transaction an insert claims, the database writes its own."""
    columns = [field.column for field in Event._meta.fields if field.column != "sequence"]
    values = {name: f"e.{name}" for name in columns}
    values.update(at="'2001-01-01'::timestamptz", epoch="77", xid="5")
    event = record()
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO audit_event ({', '.join(columns)}) "
            f"SELECT {', '.join(values[name] for name in columns)} FROM audit_event e"
        )
    forged = Event.objects.latest("sequence")
    assert forged.sequence == event.sequence + 1
    assert (forged.epoch, forged.xid) == (event.epoch, event.xid)
    assert forged.at > event.at


def test_partitions_not_due_are_not_made() -> None:
    """Two ranges lie ahead, so that there is nothing to do."""
    assert partitions_ensure() == 0


def test_application_role_is_not_the_owner() -> None:
    """The tests look at the trail through the role that an installation's servers have."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'audit_event'"
        )
        current, owner = cursor.fetchone()
    assert current == settings.APP_DATABASE_ROLE
    assert owner != current


def test_along_with_what_it_tells() -> None:
    """One event, by whatever way what it tells is written."""
    about = target()
    for sent in (lambda: prepared_rows("SELECT %s::int", [1]), Event.objects.count, lambda: None):
        before = Event.objects.count()
        with event_along(Entry(person(), "document.updated", about, changes={"revision": (1, 2)})):
            sent()
        assert Event.objects.count() == before + 1
    assert [event.detail.content["changes"] for event in Event.objects.filter(target_uid=about.uid)] == [
        {"revision": {"before": 1, "after": 2}}
    ] * 3


def test_along_with_what_fails_is_none() -> None:
    """What it would tell did not happen."""
    with pytest.raises(DataError), transaction.atomic(), event_along(Entry(person(), "a", target())):
        prepared_rows("SELECT 1 / %s::int", [0])
    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_along_outside_a_transaction_is_refused() -> None:
    """It would stand there whether or not what it tells comes to pass."""
    with (
        pytest.raises(TransactionManagementError, match="in the transaction of"),
        event_along(Entry(person(), "a", target())),
    ):
        pass
