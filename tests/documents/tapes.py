"""What making a workspace and adding a member write: recorded once over HTTP, written again by one statement.

A request costs 20 to 40 ms, and two thousand tests begin with some. Each process makes one real request of
each kind before its first test that asks for `tapes`, notes the rows that came of it, and takes them back. A
tape writes the same rows for other people: keys, ids, names and times are new, triggers do their part.
`test_tapes` proves that both ways leave the same behind.
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import re
import secrets
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import DjangoDbBlocker
from uuid_utils.compat import uuid7

from documents.models import Workspace
from tests.accounts.factories import user_make
from tests.fixtures import ApiClient, client_make

Rows = list[tuple[str, dict[str, Any]]]
ROLES = ("viewer", "commenter", "editor", "manager", "owner")


class Room(NamedTuple):
    """A workspace's key and id."""

    pk: int
    uid: uuid.UUID


# In the order of writing; events come last, by their function, and stamps by triggers.
TABLES = ("documents_workspace", "documents_workspaceuserpermission", "accounts_notification", "jobs_job")
BESIDE = {"audit_event", "audit_eventdetail", "accounts_userstamp"}
# What the database gives to an event.
STAMPED = {"sequence", "epoch", "xid", "at", "detail_hash"}
PEOPLE = {"user_id", "created_by_id", "granted_by_id"}
_TOKEN = re.compile(r"<<(\w+)>>")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?\+00:00")
# Any other would have to be escaped, in a text within a text.
_PLAIN = re.compile(r"[A-Za-z0-9 ]+")


@functools.cache
def _reading() -> str:
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT string_agg(format('SELECT %L, to_jsonb(t)::text FROM %I t', relname, relname),
                ' UNION ALL ')
            FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition
                AND relnamespace = 'public'::regnamespace
                AND relname !~ '^(django_|auth_permission|auth_group_permissions)'
        """)
        return str(cursor.fetchone()[0])


def rows_of_all() -> Rows:
    """Every row of the database that no migration made, by table."""
    with connection.cursor() as cursor:
        cursor.execute(_reading())
        return [(table, json.loads(row)) for table, row in cursor.fetchall()]


def rows_new(before: Rows, after: Rows) -> Rows:
    """What has been added or changed between both."""
    known = {(table, json.dumps(row)) for table, row in before}
    return [(table, row) for table, row in after if (table, json.dumps(row)) not in known]


def said_of(room: Room, owner: ApiClient, person: ApiClient | None = None) -> dict[str, str] | None:
    """What stands for its people and place in what a request writes; None where a text would be escaped."""
    found = {"workspace": str(room.uid), "workspace_pk": str(room.pk)}
    for role, client in (("owner", owner), ("person", person)):
        if client is None:
            continue
        if client.user is None or client.credentials is None or not _PLAIN.fullmatch(client.user.name):
            return None
        found |= {
            f"{role}_pk": str(client.user.pk),
            f"{role}_uid": str(client.user.uid),
            f"{role}_name": client.user.name,
            f"{role}_session": str(client.credentials.session.uid),
        }
    return found


class Tape:
    """The statements of one request, with names for whatever differs from one to the next."""

    def __init__(self, rows: Rows, said: dict[str, str]) -> None:
        """Take the rows that a request added, and what they say of its people."""
        self.made = 0
        self._words = {text: name for name, text in said.items() if not name.endswith("_pk")}
        self._keys = {said[name]: name for name in said if name.endswith("_pk") and name != "workspace_pk"}
        details = {row["sequence"]: row for table, row in rows if table == "audit_eventdetail"}
        assert {table for table, _ in rows} <= {*TABLES, *BESIDE}
        ordered = sorted((row for row in rows if row[0] in TABLES), key=lambda row: TABLES.index(row[0]))
        for _, row in ordered:
            self._words[row["uid"]] = self._words.get(row["uid"]) or self._new()
        statements = [self._insert(table, row) for table, row in ordered]
        for table, row in rows:
            if table == "audit_event":
                statements.append(self._event(row, details[row["sequence"]]))
        self._text = ";".join(statements)

    def play(self, said: dict[str, str]) -> None:
        """Write all of it for other people, as of now."""
        told = {
            **said,
            "now": timezone.now().isoformat(),
            "request": secrets.token_hex(16),
            "salt": secrets.token_hex(16),
            **{f"new{number}": str(uuid7()) for number in range(1, self.made + 1)},
        }
        with connection.cursor() as cursor:
            cursor.execute(_TOKEN.sub(lambda found: told[found[1]], self._text))

    def _new(self) -> str:
        self.made += 1
        return f"new{self.made}"

    def _insert(self, table: str, row: dict[str, Any]) -> str:
        del row["id"]
        if table == "documents_workspace":
            row["id"] = "<<workspace_pk>>"
        if "content_object_id" in row:
            row["content_object_id"] = "<<workspace_pk>>"
        for column in PEOPLE & row.keys():
            row[column] = f"<<{self._keys[str(row[column])]}>>"
        columns = ", ".join(row)
        return (
            f"INSERT INTO {table} ({columns}) SELECT {columns} "
            f"FROM jsonb_populate_record(NULL::{table}, {self._literal(row)})"
        )

    def _event(self, row: dict[str, Any], detail: dict[str, Any]) -> str:
        entry = {name: value for name, value in row.items() if name not in STAMPED}
        entry |= {"n": 0, "salt": "<<salt>>", "address": detail["address"], "body": detail["body"]}
        return f"SELECT sequence FROM cs_audit_record({self._literal([entry])})"

    def _literal(self, value: Any) -> str:
        """The value as JSON with names for what differs, quoted for SQL."""
        rows = value if isinstance(value, list) else [value]
        for row in rows:
            if "request_id" in row:
                row["request_id"] = "<<request>>"
        text = json.dumps(value)
        for word, name in self._words.items():
            text = text.replace(word, f"<<{name}>>")
        text = _TIME.sub(lambda found: self._now(found[0]), text)
        return "'" + text.replace("'", "''") + "'::jsonb"

    @staticmethod
    def _now(text: str) -> str:
        """Every time in it is the request's own."""
        assert abs(timezone.now() - dt.datetime.fromisoformat(text)) < dt.timedelta(minutes=10)
        return "<<now>>"


# By what was done: "" for a workspace, else the role in which somebody was added.
_RECORDED: dict[str, Tape] = {}


def _recorded() -> Iterator[tuple[str, Tape]]:
    owner = client_make(user_make(name="Tape founder"))
    before = rows_of_all()
    made = owner.post("workspaces/", {"name": "World"}).json()
    after = rows_of_all()
    room = Room(Workspace.objects.get().pk, uuid.UUID(made["id"]))
    yield "", Tape(rows_new(before, after), said_of(room, owner))
    for role in ROLES:
        person = client_make(user_make(name=f"Tape {role} to be"))
        before = rows_of_all()
        body = {"user": str(person.user.uid), "role": role}
        assert owner.post(f"workspaces/{room.uid}/members/", body).status_code == 201
        after = rows_of_all()
        yield role, Tape(rows_new(before, after), said_of(room, owner, person))


@pytest.fixture(scope="session")
def tapes(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> None:
    """Record once what is to be played."""
    with django_db_blocker.unblock(), transaction.atomic():
        _RECORDED.update(_recorded())
        transaction.set_rollback(True)


def room_play(owner: ApiClient) -> Room | None:
    """A new workspace "World" of the owner; None where it takes a request.

    That is where nothing is recorded, in a test whose transactions are real, since other processes may wait
    for what follows them, and where the name's address is taken.
    """
    if "" not in _RECORDED or not connection.in_atomic_block:
        return None
    with connection.cursor() as cursor:
        cursor.execute("""
            SELECT nextval('documents_workspace_id_seq'),
                EXISTS (SELECT FROM documents_workspace WHERE slug LIKE 'world%')
        """)
        key, taken = cursor.fetchone()
    room = Room(key, uuid7())
    said = said_of(room, owner)
    if taken or said is None:
        return None
    _RECORDED[""].play(said)
    return room


def member_play(room: Room, owner: ApiClient, person: ApiClient, role: str) -> bool:
    """Add the person as the owner does who has made the room; False where it takes a request."""
    said = said_of(room, owner, person)
    if said is None or role not in _RECORDED or not connection.in_atomic_block:
        return False
    _RECORDED[role].play(said)
    return True
