"""The sealer: what it takes in, in which order, and what keeps it from the rest."""

from __future__ import annotations

import datetime as dt

import psycopg
import pytest
from django.db import connection, transaction

from audit.checkpoints import checkpoint_read
from audit.models import Event, EventLeaf, Seal
from audit.selectors.log import log_keys
from audit.services import Entry, Target, events_record, events_seal
from audit.services.restoring import EPOCH_RAISE_SQL
from audit.verifying import trail_verify
from tests.conftest import SERVERS
from tests.jobs.factories import operator

pytestmark = pytest.mark.django_db(transaction=True)


def record(count: int = 1) -> list[int]:
    """So many committed events, by number."""
    with transaction.atomic():
        events = events_record([Entry(operator(), "a.b", Target("x", None, "x"))] * count)
    return [event.sequence for event in events]


def test_seal_takes_in_what_has_settled() -> None:
    """One batch is one seal with a signed checkpoint of the tree behind it."""
    numbers = record(3)
    seal = events_seal()
    assert seal is not None
    assert (seal.first_leaf, seal.last_leaf, seal.tree_size) == (0, 2, 3)
    assert (seal.first_sequence, seal.last_sequence) == (numbers[0], numbers[-1])
    checkpoint = checkpoint_read(seal.note)
    assert (checkpoint.size, checkpoint.root) == (3, bytes(seal.root))
    assert list(EventLeaf.objects.order_by("leaf").values_list("sequence", flat=True)) == numbers


def test_seal_goes_on_where_it_stood() -> None:
    """The second seal's tree holds the first one's leaves, and nothing new makes no seal."""
    record(300)
    first = events_seal(most=290)
    assert first is not None
    assert first.tree_size == 290
    second = events_seal()
    assert second is not None
    assert (second.first_leaf, second.tree_size) == (290, 300)
    assert events_seal() is None
    assert Seal.objects.count() == 2


def test_seal_waits_for_an_older_writer() -> None:
    """A number drawn earlier and committed later is sealed in commit order and never skipped."""
    with psycopg.connect(SERVERS.superuser_url()) as writer:
        writer.execute("SELECT pg_current_xact_id()")
        late = writer.execute("SELECT sequence FROM cs_audit_record(%s::jsonb)", [_entry()]).fetchone()
        early = record()
        assert events_seal() is None
        writer.commit()
    assert late is not None
    seal = events_seal()
    assert seal is not None
    assert set(EventLeaf.objects.values_list("sequence", flat=True)) == {late[0], *early}


def test_seal_by_two_at_once() -> None:
    """While one seals another goes on without waiting and without a seal."""
    record()
    with psycopg.connect(SERVERS.superuser_url()) as other:
        other.execute("SELECT pg_advisory_xact_lock(hashtext('cs_audit_seal'))")
        assert events_seal() is None
    assert events_seal() is not None


@pytest.mark.parametrize("table", ["audit_eventleaf", "audit_treenode", "audit_seal"])
@pytest.mark.parametrize("change", ["DELETE FROM {}", "TRUNCATE {}", "UPDATE {} SET {column} = NULL"])
def test_log_is_append_only(table: str, change: str) -> None:
    """Not even the superuser changes the log without taking the triggers off first."""
    record(300)
    events_seal()
    column = "root" if table == "audit_seal" else "hash"
    with psycopg.connect(SERVERS.superuser_url()) as owner:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"):
            owner.execute(change.format(table, column=column).encode())
        owner.rollback()


def test_application_may_not_change_the_log() -> None:
    """The application's own role has no right to change or remove a leaf."""
    record()
    events_seal()
    with connection.cursor() as cursor:
        for change in ("UPDATE audit_seal SET note = ''", "DELETE FROM audit_eventleaf"):
            with pytest.raises(Exception, match="permission denied"):
                cursor.execute(change)


def test_leaf_is_what_the_event_says() -> None:
    """The order of leaves is that of the transactions."""
    record(2)
    events_seal()
    order = Event.objects.order_by("epoch", "xid", "sequence").values_list("sequence", flat=True)
    assert list(order) == list(EventLeaf.objects.order_by("leaf").values_list("sequence", flat=True))


def test_two_restores_of_one_backup_are_two_epochs() -> None:
    """The second knows nothing of the first, which clients, caches and witnesses have met."""
    since = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    with psycopg.connect(SERVERS.superuser_url()) as owner:
        owner.execute(EPOCH_RAISE_SQL)
        (number,) = owner.execute("SELECT number FROM audit_epoch").fetchone() or (0,)
        owner.execute("UPDATE audit_epoch SET number = 999999998")
        owner.execute(EPOCH_RAISE_SQL)
        (later,) = owner.execute("SELECT number FROM audit_epoch").fetchone() or (0,)
        owner.rollback()
    assert abs(number - (dt.datetime.now(dt.UTC) - since).total_seconds()) < 60
    assert later == 999_999_999


def _entry() -> str:
    return (
        '[{"n":0,"actor_kind":"","actor_uid":null,"on_behalf_of":null,"credential_kind":"",'
        '"credential_uid":null,"request_id":"","action":"a.b","target_type":"x","target_uid":null,'
        '"workspace_uid":null,"facts":{},"count":1,"log_entry":null,"salt":"00","address":null,"body":"{}"}]'
    )


def test_seal_of_another_epoch_is_of_another_log() -> None:
    """After a restore: under another name, with the leaves of before, all of which are verified."""
    record(2)
    before = events_seal()
    with psycopg.connect(SERVERS.superuser_url(), autocommit=True) as owner:
        owner.execute("UPDATE audit_epoch SET number = number + 1")
    try:
        record()
        after = events_seal()
        report = trail_verify()
        known = log_keys()
    finally:
        with psycopg.connect(SERVERS.superuser_url(), autocommit=True) as owner:
            owner.execute("UPDATE audit_epoch SET number = number - 1")
    assert before is not None
    assert after is not None
    old, new = (checkpoint_read(seal.note, known) for seal in (before, after))
    assert (new.origin, new.size) == (f"{old.origin}/2", 3)
    assert (report.entries, report.findings) == (3, [])
