"""The database wrapper that Django loads by the name of this package."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import functools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, cast

import psycopg
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.backends.postgresql import base
from django.db.backends.utils import CursorWrapper
from psycopg.pq import Format

from cloudscribe.lib.context import RequestContext, current_context
from cloudscribe.lib.postgresql import driver, statements

# Compiled where the driver is; Django's own takes 15 us of Python for each time that is read.
_TIMESTAMPTZ = psycopg.adapters.types["timestamptz"].oid
_TimestampLoader = psycopg.adapters.get_loader(_TIMESTAMPTZ, Format.TEXT)
_UUID = psycopg.adapters.types["uuid"].oid
_TextLoader = psycopg.adapters.get_loader(psycopg.adapters.types["text"].oid, Format.TEXT)


@dataclasses.dataclass(slots=True)
class Along:
    """A statement that goes along with another one, in a piece of work; `answer` once it has gone.

    The error of one that `is_write` is raised as soon as it is known: its transaction takes nothing more.
    """

    work: RequestContext
    sql: str
    params: Any
    ids_as_text: bool
    is_write: bool = False
    answer: Callable[[], statements.Rows] | None = None


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django's, but that a kept connection is looked at and not asked whether it still works.

    Django sends `SELECT 1` at the first query of every request. A server that restarts or ends a session says
    so and closes, which can be seen at the socket; one that vanished without a word would let `SELECT 1` hang
    just as the query after it. For that one there is `answer_timeout` among OPTIONS: after so many seconds
    without an answer a connection is given up.
    """

    Database = driver
    _along: Along | None = None

    def get_connection_params(self) -> dict[str, Any]:
        """What the driver connects with: all but the limit, which is no parameter of a connection."""
        parameters: dict[str, Any] = super().get_connection_params()
        parameters.pop("answer_timeout", None)
        return parameters

    def get_new_connection(self, conn_params: dict[str, Any]) -> driver.Connection:
        """A connection whose statements have the limit from the first on."""
        self._kept: dict[str, statements.Statement] = {}
        self._manners: dict[bool, statements.Manner] = {}
        self._prepared = 0
        self._along = None
        made: driver.Connection = super().get_new_connection(conn_params)
        made.answer_timeout = self.settings_dict["OPTIONS"].get("answer_timeout")
        return made

    def is_usable(self) -> bool:
        """Whether the connection can be expected to work: the server has not closed it.

        Taken in twice: its farewell comes first, and then the end. Unlike a look at the socket this doesn't
        let go of the interpreter, which another thread would take for the rest of its request.
        """
        if self.connection is None:
            return False
        try:
            for _ in range(2):
                self.connection.pgconn.consume_input()
        except psycopg.Error:
            return False
        return True

    def prepared_rows(
        self, sql: str, params: Any, *, ids_as_text: bool = False, alone: bool = False
    ) -> statements.Rows:
        """All rows of a statement that the server parses and plans once a connection, for the hot ones.

        Django sends the parameters inside the text, which is planned anew each time: most of the time that
        the sign-in query takes. Use it for fixed texts alone, whose best plan doesn't hang on the values.
        With `ids_as_text` UUIDs come as they are sent, for rows that are only written out; always so for one
        text. `alone` nothing goes along with it, nor is remembered. Raises Django's database errors.
        """
        if alone:
            self._along = None
        self.close_if_health_check_failed()
        self.ensure_connection()
        # Django records what a cursor runs by the kind of cursor that it gives out while it is asked to.
        if self.queries_logged:
            return self._recorded_rows(sql, params, ids_as_text=ids_as_text)
        self.validate_no_broken_transaction()

        def run(sql: str, params: Any, _many: object, _context: object) -> statements.Rows:
            return self._rows(sql, params, ids_as_text=ids_as_text)

        many = False
        for wrapper in reversed(self.execute_wrappers):
            run = functools.partial(wrapper, run)
        try:
            with self.wrap_database_errors:
                return run(sql, params, many, {"connection": self})
        except Error as error:
            if statements.is_forgotten(error.__cause__):
                self._kept.pop(sql, None)
            raise

    def ask_along(self, sql: str, params: Any, *, ids_as_text: bool = False) -> Along:
        """Have a statement sent together with the next one of `prepared_rows`; the rows are kept for it.

        Whoever asks for just the same is given them without a word to the server: by the next call after the
        one that it went along with, within the same piece of work, where no cursor has sent anything since
        and no transaction has begun or ended. An error is raised when it is asked for. For reads that are
        sure to follow; outside a transaction what they go along with must be a read as well.
        """
        self._along = along = Along(current_context(), sql, params, ids_as_text)
        return along

    @contextlib.contextmanager
    def sent_along(self, sql: str, params: Any) -> Iterator[None]:
        """Have a write sent together with the first statement of `prepared_rows` in the block.

        It is sent once: at the end of the block where it has not gone, and not any more where the block has
        failed. For one transaction. Raises Django's database errors.
        """
        along = self.ask_along(sql, params)
        along.is_write = True
        try:
            yield
        except BaseException:
            self._along = None
            raise
        self._along = along if along.answer else None
        self.prepared_rows(sql, params)

    def _rows(self, sql: str, params: Any, *, ids_as_text: bool) -> statements.Rows:
        along, self._along = self._along, None
        if along is None or along.work is not current_context():
            return self._statement(sql, ids_as_text=ids_as_text).rows(params)
        if along.answer is not None and along.sql == sql and along.params == params:
            return along.answer()
        asked = self._statement(sql, ids_as_text=ids_as_text)
        if along.answer is not None or along.sql == sql:
            return asked.rows(params)
        other = self._statement(along.sql, ids_as_text=along.ids_as_text)
        both = [(asked, asked.written(params)), (other, other.written(along.params))]
        answer, along.answer = statements.rows_together(both)
        self._along = along
        rows = answer()
        if along.is_write:
            along.answer()
        return rows

    def _set_autocommit(self, autocommit: bool) -> None:  # noqa: FBT001 (Django's signature)
        # A transaction begins, or has ended: what was read before it is no answer any more.
        self._along = None
        super()._set_autocommit(autocommit)  # type: ignore[misc]  # not in Django's stubs

    def _cursor(self, name: str | None = None) -> CursorWrapper:
        self._along = None
        cursor: CursorWrapper = super()._cursor(name)  # type: ignore[misc]  # not in Django's stubs
        return cursor

    def _statement(self, sql: str, *, ids_as_text: bool) -> statements.Statement:
        statement = self._kept.get(sql)
        if statement is None:
            self._prepared += 1
            manner = self._manner(ids_as_text=ids_as_text)
            statement = self._kept[sql] = statements.Statement(manner, f"hot_{self._prepared}", sql)
        return statement

    def _manner(self, *, ids_as_text: bool) -> statements.Manner:
        if ids_as_text not in self._manners:
            loaders = self._loaders(ids_as_text=ids_as_text)
            self._manners[ids_as_text] = statements.Manner(self.connection, loaders)
        return self._manners[ids_as_text]

    def _loaders(self, *, ids_as_text: bool) -> list[tuple[int, Any]]:
        """How columns are read in other ways than Django's connections have it."""
        loaders: list[tuple[int, Any]] = []
        if self.timezone == dt.UTC:
            loaders.append((_TIMESTAMPTZ, _TimestampLoader))
        if ids_as_text:
            loaders.append((_UUID, _TextLoader))
        return loaders

    def _recorded_rows(self, sql: str, params: Any, *, ids_as_text: bool) -> statements.Rows:
        with self.wrap_database_errors:
            made = base.ServerBindingCursor(self.connection)  # type: ignore[call-arg]
            for oid, loader in self._loaders(ids_as_text=ids_as_text):
                made.adapters.register_loader(oid, loader)  # type: ignore[attr-defined]
            cursor: CursorWrapper = self._prepare_cursor(made)  # type: ignore[attr-defined]
        with cursor:
            cursor.execute(sql, params)
            return cursor.fetchall() if cursor.description else []


def prepared_rows(sql: str, params: Any, *, ids_as_text: bool = False) -> statements.Rows:
    """`DatabaseWrapper.prepared_rows` of this thread's connection."""
    database = cast("DatabaseWrapper", connections[DEFAULT_DB_ALIAS])
    return database.prepared_rows(sql, params, ids_as_text=ids_as_text)


def ask_along(sql: str, params: Any, *, ids_as_text: bool = False) -> None:
    """`DatabaseWrapper.ask_along` of this thread's connection."""
    database = cast("DatabaseWrapper", connections[DEFAULT_DB_ALIAS])
    database.ask_along(sql, params, ids_as_text=ids_as_text)


def sent_along(sql: str, params: Any) -> AbstractContextManager[None]:
    """`DatabaseWrapper.sent_along` of this thread's connection."""
    database = cast("DatabaseWrapper", connections[DEFAULT_DB_ALIAS])
    return database.sent_along(sql, params)
