"""The database wrapper that Django loads by the name of this package."""

from __future__ import annotations

import datetime as dt
import select
from typing import Any, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg.pq import Format

from cloudscribe.lib.postgresql import driver

# Compiled where the driver is; Django's own takes 15 us of Python for each time that is read.
_TIMESTAMPTZ = psycopg.adapters.types["timestamptz"].oid
_TimestampLoader = psycopg.adapters.get_loader(_TIMESTAMPTZ, Format.TEXT)
_UUID = psycopg.adapters.types["uuid"].oid
_TextLoader = psycopg.adapters.get_loader(psycopg.adapters.types["text"].oid, Format.TEXT)


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django's, but that a kept connection is looked at and not asked whether it still works.

    Django sends `SELECT 1` at the first query of every request. A server that restarts or ends a session says
    so and closes, which can be seen at the socket; one that vanished without a word would let `SELECT 1` hang
    just as the query after it. For that one there is `answer_timeout` among OPTIONS: after so many seconds
    without an answer a connection is given up.
    """

    Database = driver

    def get_connection_params(self) -> dict[str, Any]:
        """What the driver connects with: all but the limit, which is no parameter of a connection."""
        parameters: dict[str, Any] = super().get_connection_params()
        parameters.pop("answer_timeout", None)
        return parameters

    def get_new_connection(self, conn_params: dict[str, Any]) -> driver.Connection:
        """A connection whose statements have the limit from the first on."""
        self._kept: dict[str, CursorWrapper] = {}
        made: driver.Connection = super().get_new_connection(conn_params)
        made.answer_timeout = self.settings_dict["OPTIONS"].get("answer_timeout")
        return made

    def is_usable(self) -> bool:
        """Whether the connection can be expected to work; asks only where something has arrived."""
        if self.connection is None:
            return False
        try:
            silent = _is_silent(self.connection.pgconn.socket)
        except psycopg.Error:
            return False
        return silent or super().is_usable()

    def prepared_cursor(self) -> CursorWrapper:
        """A cursor that has the server parse and plan each statement once a connection, for the hot ones.

        Django sends the parameters inside the text, which is planned anew each time: most of the time that
        the sign-in query takes. Use it for fixed texts alone, whose best plan doesn't hang on the values.
        """
        self.close_if_health_check_failed()
        self.ensure_connection()
        with self.wrap_database_errors:
            cursor = base.ServerBindingCursor(self.connection)  # type: ignore[call-arg]
            if _TimestampLoader is not None and self.timezone == dt.UTC:
                adapters: psycopg.adapt.AdaptersMap = cursor.adapters  # type: ignore[attr-defined]
                adapters.register_loader(_TIMESTAMPTZ, _TimestampLoader)
            wrapped: CursorWrapper = self._prepare_cursor(cursor)  # type: ignore[attr-defined]
            return wrapped

    def prepared_rows(self, sql: str, params: Any, *, ids_as_text: bool = False) -> list[tuple[Any, ...]]:
        """All rows of a prepared statement, by a cursor that stays with the connection.

        A cursor finds out anew how each parameter and column is written and read, which takes half as long as
        the statement. The last answer stays in memory with it: not for answers that can be large. With
        `ids_as_text` UUIDs come as they are sent, for rows that are only written out; always so for one text.
        """
        self.close_if_health_check_failed()
        self.ensure_connection()
        cursor = self._kept.get(sql)
        # Django records what a cursor runs by the kind of cursor that it gives out while it is asked to.
        if cursor is None or self.queries_logged:
            cursor = self._kept[sql] = self.prepared_cursor()
            if ids_as_text and _TextLoader is not None:
                cursor.cursor.adapters.register_loader(_UUID, _TextLoader)
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def prepared_rows(sql: str, params: Any, *, ids_as_text: bool = False) -> list[tuple[Any, ...]]:
    """`DatabaseWrapper.prepared_rows` of this thread's connection."""
    database = cast("DatabaseWrapper", connections[DEFAULT_DB_ALIAS])
    return database.prepared_rows(sql, params, ids_as_text=ids_as_text)


def prepared_cursor() -> CursorWrapper:
    """`DatabaseWrapper.prepared_cursor` of this thread's connection."""
    return cast("DatabaseWrapper", connections[DEFAULT_DB_ALIAS]).prepared_cursor()


def _is_silent(socket: int) -> bool:
    """Whether nothing waits to be read: an idle server says a notice, a new setting or its farewell."""
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return not poll.poll(0)
