"""gunicorn's threaded worker, giving a connection a thread once the head of its request is there.

gunicorn hands a new connection to a thread at once, which waits five seconds for the first byte and then
without limit for the rest of the head: a few hundred connections on which nothing or half a head is sent
would stop the service for minutes. Here the main thread watches them, which holds up nobody.
"""

from __future__ import annotations

import contextlib
import errno
import selectors
import socket
import time
from functools import partial
from typing import Any

from gunicorn.workers.gthread import TConn, ThreadWorker

_HEAD_END = b"\r\n\r\n"
# More of a head than this is left to a thread.
_MOST_PEEKED = 64 * 1024
# What is read of a head at once, as gunicorn does.
_PIECE = 8_192
_PASSING = (errno.EAGAIN, errno.ECONNABORTED, errno.EWOULDBLOCK)


def head_lacks(sock: socket.socket, longest_line: int, before: bytes = b"") -> int:
    """How many bytes have come of a head that isn't whole, 0 where a thread has something to do.

    That is a whole head, the end of the stream or its failure, a first line longer than `longest_line`, which
    is refused, and what is too much to look at. `before` is what was read of it already.
    """
    if _HEAD_END in before:
        return 0
    come, ended = b"", False
    try:
        come = sock.recv(_MOST_PEEKED, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        ended = not come
    except BlockingIOError:
        pass
    except OSError:
        ended = True
    known = before + come
    too_long = len(known) > longest_line and b"\r\n" not in known[: longest_line + 2]
    if ended or _HEAD_END in known or too_long or len(come) == _MOST_PEEKED:
        return 0
    return len(come) + 1


def read_before(conn: TConn) -> bytes:
    """What has been read of a connection's next head, behind the request before it."""
    return conn.parser.unreader.buf.getvalue() if conn.parser else b""


class Steady(socket.socket):
    """A connection that is told to block, or not to, where that changes something.

    gunicorn tells it twice a request, and each time is a call to the system: during it another thread takes
    the interpreter, and this one has to wait for it.
    """

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 (the socket's)
        """As the socket does."""
        self.settimeout(None if flag else 0.0)

    def settimeout(self, value: float | None) -> None:
        """As the socket does."""
        if value != self.gettimeout():
            super().settimeout(value)


class HeadsFirst(ThreadWorker):  # type: ignore[misc]
    """A worker whose threads read no heads drop by drop."""

    # Seconds for the whole head; the configuration sets it.
    head_deadline = 10.0

    def __init__(self, *args: Any, **options: Any) -> None:
        """As gunicorn's; nobody is watched yet."""
        super().__init__(*args, **options)
        # Until when, and whether a head has begun to come.
        self._watched: dict[TConn, tuple[float, bool]] = {}

    def accept(self, listener: socket.socket) -> None:
        """Take a connection and look what it has brought."""
        try:
            sock, address = listener.accept()
        except OSError as error:
            if error.errno not in _PASSING:
                raise
            return
        self.nr_conns += 1
        steady = Steady(sock.family, sock.type, sock.proto, sock.detach())
        conn = TConn(self.cfg, steady, address, listener.getsockname())
        self._begin(conn)

    def finish_request(self, conn: TConn, fs: Any) -> None:
        """Watch what came behind the request as what comes alone: half a head is to take no thread."""
        kept = not fs.cancelled() and not fs.exception() and fs.result() is True
        if kept and read_before(conn):
            self._begin(conn)
        else:
            super().finish_request(conn, fs)

    def on_client_socket_readable(self, conn: TConn, client: socket.socket) -> None:
        """A kept connection has brought something: the next head, or a part of it."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        self._begin(conn)

    def murder_pending(self) -> None:
        """Also close what is watched and has brought no head in time."""
        super().murder_pending()
        now = time.monotonic()
        for conn in [conn for conn, (deadline, _) in self._watched.items() if now > deadline]:
            self._unwatch(conn)
            self.nr_conns -= 1
            # What lies unread would make a reset of the end.
            with contextlib.suppress(OSError):
                conn.sock.recv(_MOST_PEEKED)
            conn.close()

    def _begin(self, conn: TConn) -> None:
        lacking = self._lacking(conn)
        if not lacking:
            self._to_thread(conn)
            return
        self._note(conn, lacking)
        self.poller.register(conn.sock, selectors.EVENT_READ, partial(self._on_more, conn))

    def _on_more(self, conn: TConn, _: Any) -> None:
        lacking = self._lacking(conn)
        if lacking:
            self._note(conn, lacking)
            return
        self._unwatch(conn)
        with contextlib.suppress(OSError):
            self._wait_for(conn, 1)
        self._to_thread(conn)

    def _note(self, conn: TConn, lacking: int) -> None:
        """Watch for so many bytes; a head has its time from its first one on."""
        _, begun = known = self._watched.get(conn, (0.0, False))
        if not begun:
            begun = lacking > 1 or bool(read_before(conn))
            known = time.monotonic() + (self.head_deadline if begun else self.cfg.keepalive), begun
        self._watched[conn] = known
        with contextlib.suppress(OSError):
            self._wait_for(conn, lacking)

    def _lacking(self, conn: TConn) -> int:
        lacking = head_lacks(conn.sock, self.cfg.limit_request_line, read_before(conn))
        # Under TLS nobody can tell from outside what a first byte begins.
        return 0 if self.cfg.is_ssl and lacking > 1 else lacking

    @staticmethod
    def _read_ahead(conn: TConn) -> None:
        """Read what has come instead of looking at it and reading it afterwards."""
        with contextlib.suppress(OSError):
            conn.parser.unreader.buf.write(conn.sock.recv(_PIECE, socket.MSG_DONTWAIT))

    @staticmethod
    def _wait_for(conn: TConn, size: int) -> None:
        """Have the poller tell of it when so many bytes are there, instead of again and again."""
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, size)

    def _unwatch(self, conn: TConn) -> None:
        del self._watched[conn]
        with contextlib.suppress(OSError, KeyError, ValueError):
            self.poller.unregister(conn.sock)

    def _to_thread(self, conn: TConn) -> None:
        conn.data_ready = True
        self.enqueue_req(conn)
