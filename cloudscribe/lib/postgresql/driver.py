"""psycopg as Django's backend sees a driver (PEP 249), with connections that don't wait for ever."""

from __future__ import annotations

from typing import Any, TypeVar

import psycopg
from psycopg import (
    Binary,
    DatabaseError,
    DataError,
    Error,
    IntegrityError,
    InterfaceError,
    InternalError,
    NotSupportedError,
    OperationalError,
    ProgrammingError,
)
from psycopg.abc import PQGen
from psycopg.pq import TransactionStatus

__all__ = [
    "Binary",
    "Connection",
    "DataError",
    "DatabaseError",
    "Error",
    "IntegrityError",
    "InterfaceError",
    "InternalError",
    "NotSupportedError",
    "OperationalError",
    "ProgrammingError",
    "connect",
]

Answer = TypeVar("Answer")

# How often a wait looks up: the driver's own, which it names in private alone.
_INTERVAL = 0.1


class Connection(psycopg.Connection[Any]):
    """As the driver's, but that an answer which doesn't come within `answer_timeout` seconds ends it.

    The server's `statement_timeout` is worth nothing where the server is halted, its machine has hung or the
    way to it is cut without a word. Whatever that answer was, the next statement would be given it: so the
    connection is closed.
    """

    answer_timeout: float | None = None

    def wait(self, gen: PQGen[Answer], interval: float = _INTERVAL, timeout: float | None = None) -> Answer:
        """Take the generator to its end; raises OperationalError where the server doesn't answer in time."""
        try:
            return super().wait(gen, interval, self.answer_timeout if timeout is None else timeout)
        except OperationalError:
            # An error that the server sent has ended the statement; one that still runs was given up here.
            if self.pgconn.transaction_status == TransactionStatus.ACTIVE:
                self.pgconn.finish()
            raise


connect = Connection.connect
