"""Hot statements, prepared once a connection and sent through libpq without a cursor.

A cursor of the driver finds out anew for each execution how the text, each parameter and each column is
written and read: half of what a short statement costs a process. Here that is done when the statement is
prepared. Parameters go as text and PostgreSQL infers their types from the statement.
"""

from __future__ import annotations

import functools
import re
import select
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from psycopg import OperationalError, ProgrammingError, errors
from psycopg.abc import Loader
from psycopg.adapt import AdaptersMap, PyFormat, Transformer
from psycopg.pq import ConnStatus, ExecStatus, TransactionStatus

if TYPE_CHECKING:
    from psycopg.pq.abc import PGconn, PGresult

    from cloudscribe.lib.postgresql.driver import Connection

Rows = list[tuple[Any, ...]]

_PLACEHOLDER = re.compile(r"%(?:\((?P<name>\w+)\)s|(?P<next>s)|(?P<percent>%))")
_ROWS, _DONE = ExecStatus.TUPLES_OK, ExecStatus.COMMAND_OK
# Of a statement that PostgreSQL no longer has, or whose columns have changed under it.
_FORGOTTEN = frozenset({"26000", "0A000"})


@functools.cache
def _numbered(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """The text with `$n` in place of `%(name)s` or `%s`, and the names in their order; none for `%s`."""
    names: dict[str, int] = {}
    unnamed = 0

    def number(found: re.Match[str]) -> str:
        nonlocal unnamed
        if found["percent"]:
            return "%"
        if found["name"]:
            return f"${names.setdefault(found['name'], len(names) + 1)}"
        unnamed += 1
        return f"${unnamed}"

    return _PLACEHOLDER.sub(number, sql).encode(), tuple(names)


class Manner:
    """How statements of one connection write their parameters and read their columns (an `AdaptContext`)."""

    def __init__(self, connection: Connection, loaders: Sequence[tuple[int, type[Loader]]]) -> None:
        """As the connection does, but for columns of the types (by OID) of `loaders`."""
        self.connection = connection
        self.adapters = AdaptersMap(connection.adapters)
        for oid, loader in loaders:
            self.adapters.register_loader(oid, loader)


class Statement:
    """One text, prepared on one connection."""

    def __init__(self, manner: Manner, name: str, sql: str) -> None:
        """Prepare it under a name that is new on the connection."""
        text, self._names = _numbered(sql)
        self.connection = connection = manner.connection
        self._name = name.encode()
        self._transformer = Transformer(manner)
        self._empty: PGresult | None = None
        if _begin_is_due(connection):
            connection.pgconn.send_query(b"BEGIN")
            answer(connection)
        connection.pgconn.send_prepare(self._name, text)
        answer(connection)

    def rows(self, parameters: Any) -> Rows:
        """What it gives for these parameters, a dictionary or a sequence as the text asks; all at once."""
        written = self.written(parameters)
        if _begin_is_due(self.connection):
            return rows_together([(self, written)])[0]()
        self.send(written)
        return self.read(answer(self.connection))

    def written(self, parameters: Any) -> Sequence[Any]:
        """The parameters as they are sent."""
        values = [parameters[name] for name in self._names] if self._names else list(parameters)
        return self._transformer.dump_sequence(values, [PyFormat.TEXT] * len(values))

    def send(self, written: Sequence[Any]) -> None:
        """Put it on the way."""
        self.connection.pgconn.send_query_prepared(self._name, written)

    def read(self, result: PGresult) -> Rows:
        """The rows of its answer."""
        if result.status != _ROWS:
            return []
        # How columns are read is decided by the first answer; the later ones have the same.
        self._transformer.set_pgresult(result, set_loaders=self._empty is None)
        rows: Rows = self._transformer.load_rows(0, result.ntuples, tuple)
        if self._empty is None:
            self._empty = self.connection.pgconn.make_empty_result(_ROWS)
        # An answer can be large, and this statement lives as long as its connection.
        self._transformer.set_pgresult(self._empty, set_loaders=False)
        return rows


def rows_together(asked: Sequence[tuple[Statement, Sequence[Any]]]) -> list[Callable[[], Rows]]:
    """What statements of one connection give that go out in one piece, with the BEGIN that is due.

    A process that waits for an answer has to warm up again when it comes, which costs more than a short
    statement. They run in their order, each sees what was committed when it begins, and none is run after
    one that fails. Each of what is given back gives the rows of its statement or raises the error.
    """
    connection = asked[0][0].connection
    pgconn = connection.pgconn
    begins = _begin_is_due(connection)
    pgconn.enter_pipeline_mode()
    try:
        if begins:
            pgconn.send_query_params(b"BEGIN", None)
        for statement, written in asked:
            statement.send(written)
        pgconn.pipeline_sync()
        results = [_next_result(connection) for _ in range(begins + len(asked))]
        _wait(pgconn, connection.answer_timeout)
        pgconn.get_result()  # the end of the piece
    finally:
        if pgconn.status == ConnStatus.OK:
            pgconn.exit_pipeline_mode()
    failed = next((result for result in results if result.status not in (_ROWS, _DONE)), None)
    return [
        functools.partial(_read, statement, result, failed)
        for (statement, _), result in zip(asked, results[begins:], strict=True)
    ]


def _next_result(connection: Connection) -> PGresult:
    _wait(connection.pgconn, connection.answer_timeout)
    result = connection.pgconn.get_result()
    if result is None:
        raise OperationalError("the connection is lost")
    _wait(connection.pgconn, connection.answer_timeout)
    connection.pgconn.get_result()  # the end of this one's
    return result


def _read(statement: Statement, result: PGresult, failed: PGresult | None) -> Rows:
    if result.status not in (_ROWS, _DONE) and failed is not None:
        raise errors.error_from_result(failed)
    return statement.read(result)


def _begin_is_due(connection: Connection) -> bool:
    """Whether the next statement is the first of a transaction; the driver's cursors begin it likewise."""
    return not connection.autocommit and connection.pgconn.transaction_status == TransactionStatus.IDLE


def answer(connection: Connection) -> PGresult:
    """The result of the one statement that was sent.

    Raises the driver's error that the server tells, and OperationalError where no answer comes within the
    connection's `answer_timeout`: it is closed then, as in `driver.Connection.wait`.
    """
    pgconn = connection.pgconn
    _wait(pgconn, connection.answer_timeout)
    result = pgconn.get_result()
    # What says that the server is ready for the next may come later.
    _wait(pgconn, connection.answer_timeout)
    if result is None or pgconn.get_result() is not None:
        raise ProgrammingError("a statement has one answer")
    if result.status not in (_ROWS, _DONE):
        raise errors.error_from_result(result)
    return result


def _wait(pgconn: PGconn, seconds: float | None) -> None:
    """Send what is left to be sent and take in what comes until the answer is whole."""
    unsent = pgconn.flush()
    if not unsent and not pgconn.is_busy():
        return
    poll = select.poll()
    poll.register(pgconn.socket, select.POLLIN | select.POLLOUT if unsent else select.POLLIN)
    until = None if seconds is None else time.monotonic() + seconds
    while unsent or pgconn.is_busy():
        left = None if until is None else max(0.0, until - time.monotonic()) * 1000
        if not poll.poll(left):
            pgconn.finish()
            raise OperationalError("the server gave no answer in time")
        pgconn.consume_input()
        if unsent:
            unsent = pgconn.flush()
            poll.modify(pgconn.socket, select.POLLIN | select.POLLOUT if unsent else select.POLLIN)


def is_forgotten(error: BaseException | None) -> bool:
    """Whether a statement has to be prepared again after this error."""
    return getattr(error, "sqlstate", None) in _FORGOTTEN
