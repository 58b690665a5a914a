"""gunicorn's threaded worker with a deadline for the request's head, and a logger that leaves logging alone.

gunicorn waits without limit for a head that has begun to arrive, so that as many dripping clients as there
are threads stop the service. A buffering proxy in front does the same job better; this is for where there is
none.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import struct
import time
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.workers.gthread import ThreadWorker

# Seconds that may pass between two pieces of a body.
BODY_SILENCE = 15


class ApplicationLogger(Logger):  # type: ignore[misc]
    """gunicorn's news by the application's own logging; its own set-up would undo that at every SIGHUP."""

    def setup(self, cfg: Any) -> None:
        """Take no handler; what the application has configured by the time of a line prints it."""
        self.error_log.setLevel(logging.INFO)
        self.error_log.propagate = True
        self.access_log.setLevel(logging.CRITICAL)

    def reopen_files(self) -> None:
        """Nothing is open here."""


class DeadlineWorker(ThreadWorker):  # type: ignore[misc]
    """Cuts connections whose head is not complete in time; its main thread looks once a second."""

    # Seconds for the whole head; the configuration sets it.
    head_deadline = 10.0

    def __init__(self, *args: Any, **options: Any) -> None:
        """As gunicorn's."""
        super().__init__(*args, **options)
        self._heads: dict[Any, float] = {}

    def handle(self, conn: Any) -> Any:
        """Note when reading the head begins."""
        self._heads[conn] = time.monotonic() + self.head_deadline
        try:
            return super().handle(conn)
        finally:
            self._heads.pop(conn, None)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """The head is there: from here on only silence counts, an upload may take its time."""
        self._heads.pop(conn, None)
        with contextlib.suppress(OSError):
            silence = struct.pack("ll", BODY_SILENCE, 0)
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, silence)
        return super().handle_request(req, conn)

    def murder_keepalived(self, force: bool = False) -> None:  # noqa: FBT001, FBT002
        """Also end the reading of overdue heads; the thread that reads sees the end of the stream."""
        super().murder_keepalived(force)
        now = time.monotonic()
        for conn, deadline in list(self._heads.items()):
            if now > deadline:
                with contextlib.suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RDWR)
