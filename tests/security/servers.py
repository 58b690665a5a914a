"""Servers on this machine for whoever goes outwards, which talk as a test has them."""

from __future__ import annotations

import contextlib
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Kind: plain\r\n\r\nhello"
Talk = Callable[[socket.socket], None]


def request_of(connection: socket.socket) -> bytes:
    """The whole request, in however many pieces it comes."""
    seen = connection.recv(65_536)
    length = int((re.search(rb"content-length: (\d+)", seen.lower()) or [b"", b"0"])[1])
    while seen and len(seen.partition(b"\r\n\r\n")[2]) < length:
        seen += connection.recv(65_536)
    return seen


class Server:
    """Answers each connection by `talk` and keeps what it was sent."""

    def __init__(self, talk: Talk, context: ssl.SSLContext | None = None) -> None:
        self._talk, self._context = talk, context
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.received: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    def _answer(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            self.received.append(request_of(connection))
            self._talk(connection)

    def close(self) -> None:
        """Take no more connections."""
        self._socket.close()


@pytest.fixture
def serve(settings: Any) -> Iterator[Callable[..., Server]]:
    """Starts servers that operators have opened."""
    servers: list[Server] = []

    def start(talk: Talk | bytes, context: ssl.SSLContext | None = None) -> Server:
        answer = talk
        server = Server(answer if callable(answer) else lambda link: link.sendall(answer), context)
        servers.append(server)
        settings.OUTGOING_ALLOW = [f"127.0.0.1/32:{server.port}"]
        return server

    yield start
    for server in servers:
        server.close()
