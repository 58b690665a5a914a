"""The address that is served at, held by the supervisor while those who serve there come and go."""

from __future__ import annotations

import socket

from cloudscribe.lib.embedded.processes import wait_until
from cloudscribe.lib.supervisor.installation import Misused

_BACKLOG = 512


class Address:
    """A socket: whoever serves at it may die, and who connects meanwhile waits for the next."""

    def __init__(self, host: str, port: int) -> None:
        """Nothing is held yet."""
        self._host, self._port = host, port
        self._socket = socket.socket()

    def take(self, seconds: float = 3.0) -> None:
        """Hold the address, for which others may get so long to let go of it; raises Misused."""
        # The sockets of a process with threads outlive it by a moment.
        if not wait_until(self._bound, seconds, step=0.2):
            raise self._taken()

    def listen(self) -> int:
        """Let connections come, and return the descriptor; raises Misused."""
        try:
            self._socket.listen(_BACKLOG)
        except OSError as error:
            # As long as nobody listens, several may hold one address.
            raise self._taken() from error
        return self._socket.fileno()

    def close(self) -> None:
        """Let go of it; those who were handed the descriptor still have it."""
        self._socket.close()

    def _bound(self) -> bool:
        self._socket.close()
        self._socket = socket.socket(socket.AF_INET6 if ":" in self._host else socket.AF_INET)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((self._host, self._port))
        except OSError:
            return False
        return True

    def _taken(self) -> Misused:
        return Misused(
            f"{self._host}:{self._port} cannot be listened on: "
            "it is taken or no address of this machine. Set PORT (or CLOUDSCRIBE_BIND) to another."
        )
