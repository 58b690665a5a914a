"""A range of the trail that is full and old, to be archived."""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection, transaction

from audit.services import Entry, Target, events_record, events_seal
from cloudscribe.jobs.registry import autoload
from cloudscribe.lib.connections import database_config
from tests.conftest import SERVERS
from tests.jobs.factories import operator

WIDTH = 1_000_000
Attacker = psycopg.Connection[Any]


@pytest.fixture
def data(settings: Any, tmp_path: pathlib.Path) -> pathlib.Path:
    """Folders of the test's own, and a retention that everything is older than."""
    autoload()
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.DATA_DIR = tmp_path
    settings.AUDIT_RETENTION = 0.000001
    return tmp_path


@pytest.fixture
def attacker() -> Iterator[Attacker]:
    """PostgreSQL's superuser, whom no trigger stops."""
    with psycopg.connect(SERVERS.superuser_url(), autocommit=True) as found:
        found.execute("SET session_replication_role = replica")
        yield found


class Ranges:
    """The partitions beyond those that every test finds, and the sequence that leads into them."""

    def __init__(self, owner: Attacker, first: int) -> None:
        self._owner = owner
        self.number = first

    @property
    def first(self) -> int:
        """The lowest number of the range at hand."""
        return self.number * WIDTH

    def begin(self) -> None:
        """The next number is one of the last of the range, whose neighbours are there."""
        self._owner.execute("SELECT setval('audit_event_sequence_seq', %s)", [self.first + WIDTH - 500])
        self._owner.execute("SELECT cs_audit_partitions_ensure()")

    def end(self) -> None:
        """The next number is the first of the next range."""
        self.number += 1
        self._owner.execute("SELECT setval('audit_event_sequence_seq', %s, false)", [self.first])


@pytest.fixture(scope="module")
def room(django_db_setup: None) -> Iterator[Ranges]:
    """Ranges for the tests of a module, each of which goes on where the one before ended; none is left."""
    with psycopg.connect(SERVERS.superuser_url(), autocommit=True) as owner:
        (before,) = owner.execute("SELECT last_value FROM audit_event_sequence_seq").fetchone() or (1,)
        there = _partitions(owner)
        yield Ranges(owner, max(there) + 1)
        owner.execute("SET session_replication_role = replica")
        for number in _partitions(owner) - there:
            owner.execute(f"DROP TABLE audit_event_r{number}, audit_eventdetail_r{number}".encode())
        owner.execute("SELECT setval('audit_event_sequence_seq', %s)", [before])


@pytest.fixture
def ranges(room: Ranges, transactional_db: None) -> Ranges:
    """At the end of a range of the test's own."""
    room.begin()
    return room


def _partitions(owner: Attacker) -> set[int]:
    rows = owner.execute(
        "SELECT substring(c.relname FROM '_r([0-9]+)$')::int FROM pg_inherits i"
        " JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'audit_event'::regclass"
    )
    return {number for (number,) in rows if number is not None}


def sealed(count: int, name: str = "x") -> list[int]:
    """So many sealed events, by number."""
    with transaction.atomic():
        entries = [Entry(operator(), "x.made", Target("x", None, name), facts={"n": n}) for n in range(count)]
        events = events_record(entries)
    assert events_seal()
    return [event.sequence for event in events]


@contextlib.contextmanager
def as_owner() -> Iterator[None]:
    """Within, the database's role is the one that owns the tables, as commands for owners have it."""
    application = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(database_config(os.environ["DATABASE_OWNER_URL"], "command"))
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(application)


def archive(**options: Any) -> str:
    """What the command says."""
    out = io.StringIO()
    with as_owner():
        call_command("archive_audit", stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()


def verify(**options: Any) -> str:
    """What verification says."""
    out = io.StringIO()
    call_command("verify_audit", stdout=out, stderr=io.StringIO(), **options)
    return out.getvalue()
