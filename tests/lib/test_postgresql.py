"""A kept connection is looked at, not asked, and a dead one is never used."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

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

from cloudscribe.lib.context import RequestContext, request_context
from cloudscribe.lib.postgresql.base import ask_along, prepared_rows, sent_along
from cloudscribe.lib.postgresql.statements import Statement


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


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Statement]]:
    """The statements that go out, within one piece of work."""
    connection.ensure_connection()
    statements: list[Statement] = []
    send = Statement.send

    def noting(statement: Statement, written: Any) -> None:
        statements.append(statement)
        send(statement, written)

    monkeypatch.setattr(Statement, "send", noting)
    with request_context(RequestContext("along")):
        yield statements


FIRST, ALONG = "SELECT %s::int + 1", "SELECT %(n)s::int * 2, clock_timestamp()"


@pytest.mark.django_db(transaction=True)
def test_ask_along_goes_with_the_next_statement_and_is_not_sent_again(sent: list[Statement]) -> None:
    """Both are sent at once; the second is there when it is asked for, and once only."""
    ask_along(ALONG, {"n": 4})
    assert prepared_rows(FIRST, [1]) == [(2,)]
    assert len(sent) == 2
    assert prepared_rows(ALONG, {"n": 4})[0][0] == 8
    assert len(sent) == 2
    assert prepared_rows(ALONG, {"n": 4})[0][0] == 8
    assert len(sent) == 3


@pytest.mark.django_db(transaction=True)
def test_ask_along_is_answered_for_just_that_question(sent: list[Statement]) -> None:
    """Not for other parameters, and no longer than until then."""
    ask_along(ALONG, {"n": 4})
    prepared_rows(FIRST, [1])
    assert prepared_rows(ALONG, {"n": 5})[0][0] == 10
    assert prepared_rows(ALONG, {"n": 4})[0][0] == 8
    assert len(sent) == 4


@pytest.mark.django_db(transaction=True)
def test_ask_along_holds_for_its_own_piece_of_work(sent: list[Statement]) -> None:
    """What a request left behind, sent or not, is nothing to the next one."""
    ask_along(ALONG, {"n": 4})
    with request_context(RequestContext("another")):
        prepared_rows(FIRST, [1])
        assert len(sent) == 1
    ask_along(ALONG, {"n": 4})
    prepared_rows(FIRST, [1])
    with request_context(RequestContext("another")):
        prepared_rows(ALONG, {"n": 4})
    assert len(sent) == 4


@pytest.mark.django_db(transaction=True)
def test_ask_along_is_forgotten_with_any_other_statement(sent: list[Statement]) -> None:
    """A cursor may have changed what was read."""
    ask_along("SELECT name FROM auth_group WHERE name = %s", ["along"])
    prepared_rows(FIRST, [1])
    Group.objects.create(name="along")
    assert prepared_rows("SELECT name FROM auth_group WHERE name = %s", ["along"]) == [("along",)]


@pytest.mark.django_db(transaction=True)
def test_ask_along_is_not_run_after_a_failure(sent: list[Statement]) -> None:
    """The first one's error is raised, as by itself, and the connection goes on."""
    ask_along("INSERT INTO auth_group (name) VALUES (%s)", ["along"])
    with pytest.raises(DataError, match="division by zero"):
        prepared_rows("SELECT 1 / %s::int", [0])
    assert prepared_rows(FIRST, [1]) == [(2,)]
    assert not Group.objects.filter(name="along").exists()


@pytest.mark.django_db(transaction=True)
def test_ask_along_raises_its_error_when_it_is_asked_for(sent: list[Statement]) -> None:
    """What it went along with has its answer."""
    ask_along("SELECT 1 / %s::int", [0])
    assert prepared_rows(FIRST, [1]) == [(2,)]
    with pytest.raises(DataError, match="division by zero"):
        prepared_rows("SELECT 1 / %s::int", [0])
    assert prepared_rows(FIRST, [1]) == [(2,)]


@pytest.mark.django_db(transaction=True)
def test_ask_along_is_part_of_the_transaction(sent: list[Statement]) -> None:
    """The transaction that is due begins with both, and takes both back."""
    insert = "INSERT INTO auth_group (name) VALUES (%s) RETURNING name"
    with transaction.atomic():
        ask_along(insert, ["b"])
        assert prepared_rows(insert, ["a"]) == [("a",)]
        transaction.set_rollback(True)
    assert not Group.objects.filter(name__in="ab").exists()
    with transaction.atomic():
        ask_along(ALONG, {"n": 1})
        assert prepared_rows(insert, ["a"]) == [("a",)]
        prepared_rows(ALONG, {"n": 1})
    assert Group.objects.filter(name="a").exists()


@pytest.mark.django_db(transaction=True)
def test_ask_along_ends_with_its_transaction(sent: list[Statement]) -> None:
    """What was true in one is asked anew after it, and the other way round."""
    with transaction.atomic():
        ask_along(ALONG, {"n": 1})
        prepared_rows(FIRST, [1])
    prepared_rows(ALONG, {"n": 1})
    assert len(sent) == 3
    ask_along(ALONG, {"n": 1})
    prepared_rows(FIRST, [1])
    with transaction.atomic():
        prepared_rows(ALONG, {"n": 1})
    assert len(sent) == 6


@pytest.mark.django_db(transaction=True)
def test_ask_along_begins_when_the_other_has_ended(
    sent: list[Statement], stranger: psycopg.Connection[tuple[int]]
) -> None:
    """Its clock and what it sees are those of after a lock that the first one waited for."""
    Group.objects.create(name="held")
    seen = "SELECT statement_timestamp(), count(*) FROM auth_group WHERE name = %s"
    held = (
        "SELECT clock_timestamp() FROM auth_group WHERE name = %s AND pg_sleep(0.01) IS NOT NULL FOR UPDATE"
    )
    with transaction.atomic():
        ask_along(seen, ["added"])
        stranger.execute("INSERT INTO auth_group (name) VALUES ('added')")
        ((locked_at,),) = prepared_rows(held, ["held"])
        ((asked_at, count),) = prepared_rows(seen, ["added"])
    assert asked_at >= locked_at
    assert count == 1


@pytest.mark.django_db(transaction=True)
def test_ask_along_session_ended_is_an_operational_error(
    sent: list[Statement], stranger: psycopg.Connection[tuple[int]]
) -> None:
    """As by itself, and the next request has a new connection."""
    prepared_rows(FIRST, [1])
    prepared_rows(ALONG, {"n": 1})
    ask_along(ALONG, {"n": 1})
    _end_session(stranger)
    with pytest.raises(OperationalError):
        prepared_rows(FIRST, [1])
    connection.close_if_unusable_or_obsolete()
    assert prepared_rows(FIRST, [1]) == [(2,)]


ADDED = "INSERT INTO auth_group (name) VALUES (%s) RETURNING name"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("between", ["nothing", "a cursor", "another going along"])
def test_sent_along_goes_with_the_first_statement_and_once(sent: list[Statement], between: str) -> None:
    """Whatever is sent after it within the block."""
    with transaction.atomic(), sent_along(ADDED, ["along"]):
        prepared_rows(FIRST, [1])
        assert len(sent) == 2
        if between == "a cursor":
            Group.objects.create(name="between")
        elif between == "another going along":
            ask_along(ALONG, {"n": 1})
    assert len(sent) == 2
    assert Group.objects.filter(name="along").count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("forgotten", [False, True])
def test_sent_along_goes_at_the_end_by_itself(sent: list[Statement], *, forgotten: bool) -> None:
    """Nothing was sent that it could have gone along with, or what was sent was a cursor's."""
    with transaction.atomic():
        with sent_along(ADDED, ["along"]):
            if forgotten:
                Group.objects.create(name="between")
        prepared_rows(FIRST, [1])
    assert len(sent) == 2
    assert Group.objects.filter(name="along").count() == 1


@pytest.mark.django_db(transaction=True)
def test_sent_along_goes_with_nothing_once_its_block_has_failed(sent: list[Statement]) -> None:
    """What comes after it in the transaction is another's."""

    def fail() -> None:
        raise ValueError

    with transaction.atomic():
        with pytest.raises(ValueError), sent_along(ADDED, ["along"]):  # noqa: PT011 (any would do)
            fail()
        prepared_rows(FIRST, [1])
    assert len(sent) == 1
    assert not Group.objects.filter(name="along").exists()


@pytest.mark.django_db(transaction=True)
def test_sent_along_raises_its_own_error_at_once() -> None:
    """And not that of the next statement, which a transaction that has failed refuses whatever it is."""

    def write() -> None:
        with transaction.atomic(), sent_along(ADDED, [None]):
            prepared_rows(FIRST, [1])
            Group.objects.create(name="behind")

    with pytest.raises(IntegrityError):
        write()
    assert not Group.objects.filter(name="behind").exists()


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["enable_mergejoin", "jit"])
def test_sessions_are_planned_alike_whatever_the_server_s_own_settings(name: str) -> None:
    """A server of one's own compiles for seconds what runs for a millisecond, or walks along all accounts."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT setting, source FROM pg_settings WHERE name = %s", [name])
        assert cursor.fetchone() == ("off", "client")
