"""A kept connection is looked at, not asked, and a dead one is never used."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.contrib.auth.models import Group
from django.db import (
    DatabaseError,
    DataError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
    connection,
    transaction,
)
from django.db.backends.postgresql import base

from cloudscribe.lib.postgresql.base import prepared_rows


@pytest.fixture
def stranger() -> Iterator[psycopg.Connection[tuple[int]]]:
    """A second connection of the same role."""
    parameters = connection.get_connection_params() | {"cursor_factory": None}
    with psycopg.connect(**parameters, autocommit=True) as other:
        yield other


def _end_session(stranger: psycopg.Connection[tuple[int]]) -> None:
    pid = connection.connection.info.backend_pid
    stranger.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])


@pytest.mark.django_db(transaction=True)
def test_is_usable_asks_nothing_of_an_idle_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """A live connection is usable without a statement."""
    connection.ensure_connection()
    monkeypatch.setattr(base.DatabaseWrapper, "is_usable", lambda _self: pytest.fail("a statement was sent"))
    assert connection.is_usable()


@pytest.mark.django_db(transaction=True)
def test_is_usable_notices_a_session_that_was_ended(stranger: psycopg.Connection[tuple[int]]) -> None:
    """A server that restarts ends every session and says so."""
    connection.ensure_connection()
    _end_session(stranger)
    assert not connection.is_usable()
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_is_usable_notices_a_connection_that_was_closed_here() -> None:
    """A connection that the driver closed has no socket to look at."""
    connection.ensure_connection()
    connection.connection.close()
    assert not connection.is_usable()
    connection.close()


@pytest.mark.django_db(transaction=True)
def test_is_usable_goes_on_after_a_notice(stranger: psycopg.Connection[tuple[int]]) -> None:
    """What an idle server says by the way does not cost the connection."""
    with connection.cursor() as cursor:
        cursor.execute("LISTEN chatter")
    stranger.execute("NOTIFY chatter")
    assert connection.is_usable()
    with connection.cursor() as cursor:
        cursor.execute("UNLISTEN chatter")


@pytest.mark.django_db(transaction=True)
def test_prepared_rows_gives_what_a_cursor_gives() -> None:
    """Parameters by name or in order, none, NULL, arrays, bytes, a percent sign and text of any letters."""
    sql = "SELECT %(n)s::int, %(t)s::text, %(a)s::text[], %(b)s::bytea, %(x)s::text, 7 %% 4, %(n)s::bigint"
    values = {"n": 5, "t": "ä'\\", "a": ["{", '"', "NULL"], "b": b"\0\xff", "x": None}
    for _ in range(2):
        assert prepared_rows(sql, values) == [(5, "ä'\\", ["{", '"', "NULL"], b"\0\xff", None, 3, 5)]
    assert prepared_rows("SELECT %s::int - %s::int", [5, 3]) == [(2,)]
    assert prepared_rows("SELECT n FROM generate_series(1, 3) n", {}) == [(1,), (2,), (3,)]
    assert prepared_rows("SELECT 1 WHERE false", []) == []


@pytest.mark.django_db(transaction=True)
def test_prepared_rows_keeps_no_answer_of_the_time_before() -> None:
    """The same statement gives what is true now, and large answers as well as none."""
    sql = "SELECT repeat('ä', n) FROM generate_series(1, %s::int) n"
    for most in (3, 0, 2_000, 1):
        assert prepared_rows(sql, [most]) == [("ä" * n,) for n in range(1, most + 1)]


@pytest.mark.django_db(transaction=True)
def test_prepared_rows_sends_what_the_socket_takes_in_parts() -> None:
    """A text of many megabytes goes out while the server reads."""
    text = "wörter " * 2_000_000
    assert prepared_rows("SELECT length(%s::text)", [text]) == [(14_000_000,)]


@pytest.mark.django_db(transaction=True)
def test_prepared_rows_is_part_of_the_transaction() -> None:
    """The first statement begins it; a rollback takes back what was done and keeps the statement."""
    insert = "INSERT INTO auth_group (name) VALUES (%s) RETURNING name"
    with transaction.atomic():
        assert prepared_rows(insert, ["a"]) == [("a",)]
        transaction.set_rollback(True)
    with transaction.atomic():
        assert prepared_rows(insert, ["b"]) == [("b",)]
        with pytest.raises(IntegrityError), transaction.atomic():
            prepared_rows(insert, ["b"])
        assert prepared_rows(insert, ["c"]) == [("c",)]
    assert list(Group.objects.filter(name__in="abc").values_list("name", flat=True)) == ["b", "c"]


@pytest.mark.django_db(transaction=True)
def test_prepared_rows_refused_by_the_server_is_djangos_error() -> None:
    """The connection goes on; inside a transaction that has failed nothing more is sent."""
    divide = "SELECT 1 / %s::int"
    for _ in range(2):
        with pytest.raises(DataError, match="division by zero"):
            prepared_rows(divide, [0])
    assert prepared_rows(divide, [1]) == [(1,)]
    with pytest.raises(DataError, match="NUL"):
        prepared_rows("SELECT %s::text", ["a\0b"])
    with pytest.raises(ProgrammingError, match="nothing_of_ours"):
        prepared_rows("SELECT * FROM nothing_of_ours", [])
    with transaction.atomic():
        transaction.set_rollback(True)
        with pytest.raises(transaction.TransactionManagementError):
            prepared_rows(divide, [1])


@pytest.mark.django_db(transaction=True)
def test_prepared_rows_prepares_again_what_the_server_forgot() -> None:
    """Whoever clears a session, or changes a table that a statement reads, costs one error at most."""
    sql = "SELECT %s::int + 1"
    assert prepared_rows(sql, [1]) == [(2,)]
    with connection.cursor() as cursor:
        cursor.execute("DEALLOCATE ALL")
    with pytest.raises(DatabaseError):
        prepared_rows(sql, [1])
    assert prepared_rows(sql, [1]) == [(2,)]


@pytest.mark.django_db(transaction=True)
def test_prepared_rows_session_ended_is_an_operational_error(
    stranger: psycopg.Connection[tuple[int]],
) -> None:
    """As by any cursor; the next request has a new connection and prepares there."""
    assert prepared_rows("SELECT 41 + %s::int", [1]) == [(42,)]
    _end_session(stranger)
    with pytest.raises(OperationalError):
        prepared_rows("SELECT 41 + %s::int", [1])
    connection.close_if_unusable_or_obsolete()
    assert prepared_rows("SELECT 41 + %s::int", [1]) == [(42,)]
