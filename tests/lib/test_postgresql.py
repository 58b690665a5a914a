"""A kept connection is looked at, not asked, and a dead one is never used."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection
from django.db.backends.postgresql import base


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
