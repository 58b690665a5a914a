"""The database wrapper that Django loads by the name of this package."""

from __future__ import annotations

import select

import psycopg
from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """As Django's, but that a kept connection is looked at and not asked whether it still works.

    Django sends `SELECT 1` at the first query of every request. A server that restarts or ends a session says
    so and closes, which can be seen at the socket; one that vanished without a word would let `SELECT 1` hang
    just as the query after it.
    """

    def is_usable(self) -> bool:
        """Whether the connection can be expected to work; asks only where something has arrived."""
        if self.connection is None:
            return False
        try:
            silent = _is_silent(self.connection.pgconn.socket)
        except psycopg.Error:
            return False
        return silent or super().is_usable()


def _is_silent(socket: int) -> bool:
    """Whether nothing waits to be read: an idle server says a notice, a new setting or its farewell."""
    poll = select.poll()
    poll.register(socket, select.POLLIN)
    return not poll.poll(0)
