"""gunicorn's threaded worker with a deadline for the request's head, and a logger that leaves logging alone.

gunicorn waits without limit for a head that has begun to arrive, so that as many dripping clients as there
are threads stop the service. A buffering proxy in front does the same job better; this is for where there is
none.
"""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import select
import socket
import struct
import time
from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from typing import Any
from urllib.parse import unquote

import structlog
from gunicorn.glogging import Logger
from gunicorn.http.errors import InvalidResponseHeader, InvalidResponseHeaderName, NoMoreData, ParseException

from cloudscribe.lib.context import RequestContext, new_request_id, request_context
from cloudscribe.lib.embedded.processes import process_exists
from cloudscribe.lib.errors import (
    PROBLEM_TYPE,
    BadRequest,
    BodyTooLarge,
    DomainError,
    InternalError,
    ServiceUnavailable,
    problem_body,
)
from cloudscribe.lib.web_heads import HeadsFirst, read_before

# Seconds that may pass between two pieces of a body, either way: an answer that nobody takes would else hold
# a thread for ever.
BODY_SILENCE = 15
# What is read, and for how many seconds, of a body that nobody wanted: closing on it would reset the
# connection and lose the refusal that the client has yet to read.
_LINGER_SECONDS = 10
_LINGER_BYTES = 256 * 1024 * 1024
_LINGER_PIECE = 64 * 1024
# So long a thread waits for the next request of a connection before it lets the main thread watch it.
_FOLLOW_MILLISECONDS = 3
# So long a worker without a free thread leaves new connections to the other workers.
_YIELD_SECONDS = 0.01
# Threads for requests that are long at work by themselves, and how many may wait for them.
_ASIDE_THREADS = 2
_ASIDE_WAITING = 150
# No body that belongs there is longer.
_ASIDE_BYTES = 64 * 1024
# As on every answer of the application, which these requests never reach.
_HEADERS = {
    "Connection": "close",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

log = structlog.get_logger(__name__)


class ApplicationLogger(Logger):  # type: ignore[misc]
    """gunicorn's news by the application's own logging; its own set-up would undo that at every SIGHUP."""

    def setup(self, cfg: Any) -> None:
        """Take no handler; what the application has configured by the time of a line prints it."""
        self.error_log.setLevel(logging.INFO)
        self.error_log.propagate = True
        self.access_log.setLevel(logging.CRITICAL)

    def reopen_files(self) -> None:
        """Nothing is open here."""


class Joined:
    """A connection that sends a head together with what follows it.

    gunicorn sends them apart: one more call and, at the other end, one more awakening for each answer.
    """

    def __init__(self, sock: socket.socket) -> None:
        """Nothing is held back yet."""
        self._sock = sock
        self._head: bytes | None = None
        self._begun = False

    def sendall(self, data: bytes) -> None:
        """Keep the first piece until there is a second one, send it with that."""
        if not self._begun:
            self._begun, self._head = True, data
            return
        head, self._head = self._head, None
        self._sock.sendall(data if head is None else head + data)

    def release(self) -> None:
        """Send what is held back."""
        head, self._head = self._head, None
        if head is not None:
            self._sock.sendall(head)

    def __getattr__(self, name: str) -> Any:
        """Everything else is the connection's own, after what was to be sent before it."""
        self.release()
        return getattr(self._sock, name)


class Pool(ThreadPoolExecutor):
    """Threads, and how much work waits for one of them."""

    @property
    def waiting(self) -> int:
        """How much has been submitted that no thread has begun."""
        return self._work_queue.qsize()


class Aside(BaseException):
    """A request whose head is read and which another thread is to answer."""

    def __init__(self, request: Any) -> None:
        """`request` is gunicorn's."""
        super().__init__()
        self.request = request


class Reread:
    """A parser whose next request is one that it has already read."""

    def __init__(self, parser: Any, request: Any) -> None:
        """`parser` does all else."""
        self._parser, self._request = parser, request

    def __next__(self) -> Any:
        """The request."""
        return self._request

    def __getattr__(self, name: str) -> Any:
        """As the parser has it."""
        return getattr(self._parser, name)


class DeadlineWorker(HeadsFirst):
    """Cuts connections whose head is not complete in time; its main thread looks once a second.

    A thread that has answered waits a moment for the next request of the same connection. gunicorn hands
    each one back to the main thread and gets it from there again, which costs a busy process several switches
    of threads a request.

    What hashes passwords is answered by threads of its own: fifty people who sign in at once would take every
    thread, and whoever only reads would wait for all of them.
    """

    # The process that holds the socket and starts another master where this one dies; 0 where nobody does.
    supervisor = 0
    # As BODY_SILENCE, for tests.
    silence = BODY_SILENCE
    # The paths whose POST is answered aside; the configuration sets them.
    paths_aside: Collection[str] = ()
    # Beginnings of paths whose POST is, and of those where a header may bring a password with any request.
    prefixes_aside: tuple[str, ...] = ()
    headers_aside: tuple[tuple[str, str], ...] = ()

    def __init__(self, *args: Any, **options: Any) -> None:
        """As gunicorn's."""
        super().__init__(*args, **options)
        self._heads: dict[Any, float] = {}
        self._busy = 0

    def get_thread_pool(self) -> Pool:
        """As many threads as configured, and those aside."""
        self._aside = Pool(max_workers=_ASIDE_THREADS)
        return Pool(max_workers=self.cfg.threads)

    def is_parent_alive(self) -> bool:
        """Serve on where the next master is being started: whoever starts it ends this one in time."""
        if self.supervisor and os.getppid() != self.ppid and process_exists(self.supervisor):
            return True
        return bool(super().is_parent_alive())

    def enqueue_req(self, conn: Any) -> None:
        """Count what the threads have; both ends of it happen in the main thread."""
        self._busy += 1
        super().enqueue_req(conn)

    def finish_request(self, conn: Any, fs: Any) -> None:
        """As `enqueue_req`; hand on what is to be answered aside."""
        self._busy -= 1
        moved = None if fs.cancelled() or fs.exception() else fs.result()
        if isinstance(moved, Aside):
            self._aside.submit(self._answer_aside, conn, moved.request).add_done_callback(
                lambda done: self.method_queue.defer(super(DeadlineWorker, self).finish_request, conn, done)
            )
        else:
            super().finish_request(conn, fs)

    def handle_quit(self, sig: Any, frame: Any) -> None:
        """Nothing more is begun aside, either."""
        self._aside.shutdown(wait=False, cancel_futures=True)
        super().handle_quit(sig, frame)

    def wait_for_and_dispatch_events(self, timeout: float) -> None:
        """Where every thread is taken, look for a moment at nothing but what the threads say.

        All workers listen on one socket, and whoever is quick takes most of a burst: then one has a queue
        while another sleeps. A worker that nobody relieves takes them after all.
        """
        if self._busy >= self.cfg.threads and self._accepting and self.cfg.workers > 1:
            select.select([self.method_queue.fileno()], [], [], _YIELD_SECONDS)
            timeout = 0
        super().wait_for_and_dispatch_events(timeout)

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001 (gunicorn's)
        """Let go of the address at the end, or whoever connects waits for the last answer to be refused."""
        super().set_accept_enabled(enabled and self.alive)
        if not self.alive:
            for listener in self.sockets:
                listener.close()

    def handle(self, conn: Any) -> Any:
        """Answer a request, and those that follow at once while nobody else waits for this thread."""
        kept = self._answer(conn)
        while kept is True and self._follows(conn):
            kept = self._answer(conn)
        return kept

    def _answer(self, conn: Any) -> Any:
        """Note when reading the head begins."""
        self._heads[conn] = time.monotonic() + self.head_deadline
        try:
            return super().handle(conn)
        except Aside as moved:
            return moved
        finally:
            self._heads.pop(conn, None)

    def _answer_aside(self, conn: Any, request: Any) -> Any:
        """In one of the threads aside: all that `handle` does after reading the head."""
        parser, conn.parser, conn.aside = conn.parser, Reread(conn.parser, request), True
        try:
            return super().handle(conn)
        finally:
            conn.parser, conn.aside = parser, False

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:  # noqa: FBT001 (gunicorn's)
        """As it is: `handle_request` has read what was left of the body."""
        return keepalive

    def _follows(self, conn: Any) -> bool:
        if not self.alive or self.tpool.waiting:
            return False
        if not read_before(conn):
            poll = select.poll()
            poll.register(conn.sock, select.POLLIN)
            if not poll.poll(_FOLLOW_MILLISECONDS):
                return False
            self._read_ahead(conn)
        return not self._lacking(conn)

    def handle_request(self, req: Any, conn: Any) -> Any:
        """The head is there: from here on only silence counts, an upload may take its time."""
        self._heads.pop(conn, None)
        if not hasattr(conn, "bounded"):
            with contextlib.suppress(OSError):
                silence = struct.pack("ll", self.silence, 0)
                conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, silence)
                conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, silence)
            conn.bounded = True
        if not getattr(conn, "aside", False) and self._belongs_aside(req):
            if self._aside.waiting >= _ASIDE_WAITING:
                raise ServiceUnavailable("Too many people are signing in at this moment.")
            self._body_take(req, conn)
            raise Aside(req)
        plain, conn.sock = conn.sock, Joined(conn.sock)
        try:
            kept, drained = super().handle_request(req, conn), False
        finally:
            conn.sock.release()
            conn.sock = plain
        with contextlib.suppress(OSError, ParseException):
            drained = self._drained(req, conn)
        return kept and drained

    @staticmethod
    def _drained(req: Any, conn: Any) -> bool:
        """Read what is left of a body that nobody wanted; whether its end was reached.

        In larger pieces than gunicorn's own way, which asks for a kilobyte at a time and copies all that has
        arrived for each: 60 MB took ten seconds of computing.
        """
        if getattr(getattr(req.body, "reader", None), "length", None) == 0:
            return True  # nothing of it is on its way, as of every read
        deadline, left = time.monotonic() + _LINGER_SECONDS, _LINGER_BYTES
        while left > 0 and not getattr(req.body, "failed", False):
            seconds = deadline - time.monotonic()
            if seconds <= 0:
                break
            conn.sock.settimeout(seconds)
            piece = req.body.read(_LINGER_PIECE)
            if not piece:
                conn.sock.settimeout(None)
                return True
            left -= len(piece)
        return False

    def _belongs_aside(self, req: Any) -> bool:
        """Whatever the spelling of the path, as long as the application reads it so."""
        path = unquote(req.path)
        if req.method == "POST" and (path in self.paths_aside or path.startswith(self.prefixes_aside)):
            return True
        asked = {header for prefix, header in self.headers_aside if path.startswith(prefix)}
        return bool(asked) and any(name in asked for name, _ in req.headers) and self._is_short(req)

    @staticmethod
    def _is_short(req: Any) -> bool:
        """Whether its body may wait aside; a longer one is read as it comes."""
        lengths = [value for name, value in req.headers if name == "CONTENT-LENGTH"]
        chunked = any(name == "TRANSFER-ENCODING" for name, _ in req.headers)
        return not chunked and all(value.isdigit() and int(value) <= _ASIDE_BYTES for value in lengths)

    def _body_take(self, req: Any, conn: Any) -> None:
        """Read the whole body beforehand: those few threads wait for nobody who sends it drop by drop."""
        if any(name == "EXPECT" for name, _ in req.headers):
            conn.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        try:
            content = req.body.read(_ASIDE_BYTES + 1)
        except BlockingIOError as error:
            raise NoMoreData from error
        if len(content) > _ASIDE_BYTES:
            raise BodyTooLarge(f"At most {_ASIDE_BYTES // 1024} KB are taken here.")
        req.body = io.BytesIO(content)

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """Answer what never became a request like every other error; gunicorn's own page quotes it.

        Neither the answer nor the log tells the address or a header: both may hold secrets.
        """
        error = _problem_of(exc)
        with request_context(RequestContext(new_request_id())) as work:
            body = json.dumps(problem_body(error)).encode()
            if isinstance(error, InternalError):
                log.error("request_failed", code=error.code, exc_info=exc)
            else:
                log.info("request_refused", code=error.code, error=type(exc).__name__)
        fields = {
            **_HEADERS,
            **error.headers,
            "Content-Type": PROBLEM_TYPE,
            "Content-Length": str(len(body)),
            "X-Request-ID": work.request_id,
        }
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        status = HTTPStatus(error.status)
        with contextlib.suppress(OSError):
            client.sendall(f"HTTP/1.1 {status} {status.phrase}\r\n{head}\r\n".encode() + body)
            # The rest of what was sent, as above.
            client.shutdown(socket.SHUT_WR)
            client.settimeout(1)
            while client.recv(65_536):
                pass

    def murder_keepalived(self, force: bool = False) -> None:  # noqa: FBT001, FBT002
        """Also end the reading of overdue heads; the thread that reads sees the end of the stream."""
        super().murder_keepalived(force)
        now = time.monotonic()
        for conn, deadline in list(self._heads.items()):
            if now > deadline:
                with contextlib.suppress(OSError):
                    conn.sock.shutdown(socket.SHUT_RDWR)


def _problem_of(exc: Exception) -> DomainError:
    if isinstance(exc, ServiceUnavailable | BodyTooLarge):
        return exc
    own = isinstance(exc, InvalidResponseHeader | InvalidResponseHeaderName)
    if isinstance(exc, ParseException) and not own:
        return BadRequest("The request's line or headers are malformed or too long.")
    return InternalError()
