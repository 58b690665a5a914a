"""What is told of statements: slow ones, repeated ones, and never a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings
from structlog.testing import CapturingLogger

from cloudscribe.lib.context import RequestContext, request_context
from cloudscribe.lib.observability import queries
from cloudscribe.lib.observability.metrics import SLOW_STATEMENTS
from tests.accounts.factories import user_make
from tests.fixtures import client_make

Told = Callable[[str], list[dict[str, Any]]]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Gives what was told of an event, in place of the log."""
    log = CapturingLogger()
    monkeypatch.setattr(queries, "log", log)
    return lambda event: [call.kwargs for call in log.calls if call.args == (event,)]


@pytest.mark.parametrize(
    ("sql", "shape"),
    [
        ("SELECT 1", "SELECT ?"),
        (
            "SELECT *  FROM t1\n WHERE name = 'O''Hara' AND n > -1.5e3",
            "SELECT * FROM t1 WHERE name = ? AND n > -?",
        ),
        (r"SELECT E'it\'s 007' || 'x'", "SELECT ? || ?"),
        ("SELECT $body$it's secret$body$, $$5$$", "SELECT ?, ?"),
        (
            "SELECT id FROM t WHERE id IN (%s, %s,%s) -- for 'ann'\n LIMIT 21",
            "SELECT id FROM t WHERE id IN (?, …) LIMIT ?",
        ),
        ('SELECT /* ann@example.org */ "col2" FROM x', 'SELECT "col2" FROM x'),
        ('RELEASE SAVEPOINT "s140_x1"', "RELEASE SAVEPOINT ?"),
        ("SELECT $1::int, %(name)s", "SELECT $1::int, %(name)s"),
    ],
)
def test_shape_has_no_values(sql: str, shape: str) -> None:
    """Texts, numbers and comments go; names and places of parameters stay."""
    assert queries.shape_of(sql) == shape


def test_fingerprint_is_the_same_whatever_the_values() -> None:
    """So that lines can be counted by it."""
    one, other = (queries.described(f"SELECT * FROM t WHERE id = {n} AND x = '{n}'") for n in (1, 22))
    assert one == other
    assert one["fingerprint"] != queries.described("SELECT * FROM u")["fingerprint"]


@pytest.mark.django_db
def test_slow_statement_is_told_by_route_and_shape(settings: Settings, told: Told) -> None:
    """A warning and a count; the values, inside the text and beside it, are nowhere."""
    settings.SLOW_QUERY = 0.0
    before = SLOW_STATEMENTS._value.get()
    work = RequestContext("abcdefgh", route="/api/v1/things/{id}/")
    with request_context(work), connection.cursor() as cursor:
        cursor.execute("SELECT 'hidden', %s", ["secret"])
    (line,) = told("slow_query")
    assert (line["route"], line["statement"]) == (work.route, "SELECT ?, %s")
    assert len(line["fingerprint"]) == 12
    assert "secret" not in str(line)
    assert "hidden" not in str(line)
    assert SLOW_STATEMENTS._value.get() == before + 1


@pytest.mark.django_db
def test_quick_statement_is_not_told(told: Told) -> None:
    """Half a second is the limit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    assert told("slow_query") == []


@pytest.mark.django_db
def test_statement_sent_over_and_over_is_told_in_development(settings: Settings, told: Told) -> None:
    """Once a request, with how often; the same text with other values is the same statement."""
    settings.DEBUG = True
    settings.REPEATED_QUERIES = 5
    work = RequestContext("abcdefgh", route="/api/v1/things/")
    queries.begin(work)
    with request_context(work), connection.cursor() as cursor:
        for number in range(6):
            cursor.execute("SELECT %s::int", [number])
        for _ in range(4):
            cursor.execute("SELECT 2")
        queries.end(work)
    (line,) = told("repeated_query")
    assert (line["route"], line["times"], line["statement"]) == (work.route, 6, "SELECT %s::int")


@pytest.mark.django_db
def test_repetition_is_not_counted_in_production(settings: Settings) -> None:
    """It costs memory for each statement of a request."""
    work = RequestContext("abcdefgh")
    queries.begin(work)
    assert work.statements is None


@pytest.mark.django_db
def test_list_of_documents_repeats_no_statement(settings: Settings, told: Told) -> None:
    """In debug mode a whole request is watched; what we ship has no query a row."""
    settings.DEBUG = True
    settings.REPEATED_QUERIES = 2
    client = client_make(user_make())
    assert client.get("documents/").status_code == 200
    assert told("repeated_query") == []
