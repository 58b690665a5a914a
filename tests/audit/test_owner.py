"""What even the owner's hand meets: triggers, partitions and the rights that migrations leave behind.

Run as PostgreSQL's superuser in transactions that are rolled back.
"""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection, transaction
from psycopg.types.json import Jsonb

from audit.services import Entry, Target, events_record
from tests.conftest import SERVERS
from tests.jobs.factories import operator

pytestmark = pytest.mark.django_db(transaction=True)

Owner = psycopg.Connection[tuple[object, ...]]

TABLES = ("audit_event", "audit_eventdetail")
LOG = ("audit_archive", "audit_eventleaf", "audit_seal", "audit_treenode")
CHANGES = {
    "audit_event": ["UPDATE {} SET action = 'x'", "DELETE FROM {}"],
    "audit_eventdetail": ["UPDATE {} SET body = 'x'", "DELETE FROM {}"],
}


@pytest.fixture
def owner(django_db_setup: None) -> Iterator[Owner]:
    """A connection that may do everything, with one event in the trail; rolled back."""
    with transaction.atomic():
        events_record([Entry(operator(), "a.b", Target("x", None, "x"))])
    with psycopg.connect(SERVERS.superuser_url()) as found:
        (number,) = found.execute("SELECT last_value FROM audit_event_sequence_seq").fetchone() or (1,)
        yield found
        found.rollback()
        # A sequence knows no rollback.
        found.execute("SELECT setval('audit_event_sequence_seq', %s)", [number])


@pytest.mark.parametrize(
    ("table", "change"), [(table, change) for table in TABLES for change in CHANGES[table]]
)
def test_change_as_the_owner(owner: Owner, table: str, change: str) -> None:
    """Rows can't be changed or deleted, neither through the parent nor in their partition."""
    for name in (table, _partition_with_rows(owner, table)):
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"), owner.transaction():
            owner.execute(change.format(name).encode())


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("suffix", ["", "_r0", "_r1", "_default"])
def test_truncate_as_the_owner(owner: Owner, table: str, suffix: str) -> None:
    """TRUNCATE is refused by each partition on its own, since the parent's trigger doesn't stop it there."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="TRUNCATE"):
        owner.execute(f"TRUNCATE {table}{suffix}".encode())


def test_next_partition_when_it_is_due(owner: Owner) -> None:
    """When the numbers reach a new range, ranges are made until two lie ahead, closed like the others."""
    owner.execute("SELECT setval('audit_event_sequence_seq', 40000000)")
    assert owner.execute("SELECT cs_audit_partitions_ensure() > 0").fetchone() == (True,)
    assert owner.execute("SELECT cs_audit_partitions_ensure()").fetchone() == (0,)
    for table in TABLES:
        rights = owner.execute(
            "SELECT has_table_privilege(%s, %s, 'SELECT, INSERT, UPDATE, DELETE')",
            ["cloudscribe", f"{table}_r42"],
        ).fetchone()
        assert rights == (False,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="append-only"), owner.transaction():
            owner.execute(f"TRUNCATE {table}_r42".encode())


def test_rows_beyond_the_last_partition_are_kept(owner: Owner) -> None:
    """Where no partition was made in time the default one takes the rows; later ranges begin after them."""
    owner.execute("SELECT setval('audit_event_sequence_seq', 90000000)")
    entry = {"n": 0, "count": 1, "salt": "00", "body": "{}", "facts": {}}
    entry |= dict.fromkeys(("action", "actor_kind", "credential_kind", "request_id", "target_type"), "x")
    owner.execute("SELECT cs_audit_record(%s)", [Jsonb([entry])])
    assert owner.execute("SELECT count(*) FROM audit_event_default").fetchone() == (1,)
    owner.execute("SELECT cs_audit_partitions_ensure()")
    assert owner.execute("SELECT to_regclass('audit_event_r90')").fetchone() == (None,)
    assert owner.execute("SELECT to_regclass('audit_event_r91') IS NOT NULL").fetchone() == (True,)


def test_rights_of_the_application() -> None:
    """Migrations leave the application's role all rights but on the trail: reading and adding there."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, has_table_privilege(oid, 'UPDATE') AND has_table_privilege(oid, 'DELETE'),"
            " has_table_privilege(oid, 'INSERT') FROM pg_class"
            " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
        )
        rights = {name: (changes, inserts) for name, changes, inserts in cursor.fetchall()}
    trail = {name: given for name, given in rights.items() if name.startswith("audit_")}
    assert {name for name, given in trail.items() if given != (False, False)} == {*TABLES, *LOG}
    assert {trail[name] for name in (*TABLES, *LOG)} == {(False, True)}
    assert rights.pop("auditlog_logentry") == (False, True)
    assert {given for name, given in rights.items() if name not in trail} == {(True, True)}


def _partition_with_rows(owner: Owner, table: str) -> str:
    row = owner.execute(f"SELECT tableoid::regclass::text FROM {table} LIMIT 1".encode()).fetchone()
    assert row is not None
    return str(row[0])
