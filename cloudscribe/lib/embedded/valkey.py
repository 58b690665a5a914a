"""The embedded Valkey: cache, counters and doorbell on a unix socket; no TCP port is taken."""

from __future__ import annotations

import os
import pathlib
import signal
import socket

from cloudscribe.lib.embedded.binaries import valkey_program
from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.processes import Handle, launch, process_exists, tail, wait_until


class ValkeyFailed(RuntimeError):
    """Valkey could not be started; the text carries the end of its log."""


def _ask(path: pathlib.Path, command: str, seconds: float) -> str:
    """One inline command over the socket and the first 4 KB of the answer; raises OSError."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(seconds)
        client.connect(str(path))
        client.sendall(command.encode() + b"\r\n")
        return client.recv(4096).decode(errors="replace")


class Valkey:
    """The server of one layout."""

    name = "valkey"

    def __init__(self, layout: Layout, *, persistent: bool = True, die_with_parent: bool = False) -> None:
        """Without `persistent` nothing is written (tests).

        `die_with_parent` binds the server's life to this process.
        """
        self._layout = layout
        self._persistent = persistent
        self._die_with_parent = die_with_parent
        self._handle: Handle | None = None
        self._log = layout.log / "valkey.log"

    def socket_path(self) -> pathlib.Path:
        """Where it listens."""
        return self._layout.sockets() / "valkey.sock"

    def url(self, database: int = 0) -> str:
        """The address of one of its 64 databases."""
        return f"unix://{self.socket_path()}?db={database}"

    def pid(self) -> int | None:
        """The server that listens on this layout's socket, whoever started it."""
        try:
            answer = _ask(self.socket_path(), "INFO server", 1)
        except OSError:
            return self._pid_of_a_hung_one()
        numbers = [line.partition(":")[2] for line in answer.splitlines() if line.startswith("process_id:")]
        return int(numbers[0]) if numbers else None

    def start(self, seconds: float = 20) -> None:
        """Adopt a server that answers, end one that hangs, or start one, and wait until it answers.

        Raises ValkeyFailed, ServersMissing.
        """
        self._layout.valkey.mkdir(mode=0o700, exist_ok=True)
        running = self.pid()
        if running is not None and self._answers():
            self._handle = Handle(running)
            return
        if running is not None:
            Handle(running).end(signal.SIGKILL, 5)
        self._handle = self._launch()
        if not wait_until(lambda: self._answers() or not self.alive(), seconds) or not self.alive():
            raise ValkeyFailed(f"Valkey did not start; the end of {self._log}:\n{tail(self._log)}")

    def alive(self) -> bool:
        """Whether the server that `start` started or adopted still runs."""
        return self._handle is not None and self._handle.alive()

    def signal(self, number: int) -> None:
        """Send it a signal (fault drills)."""
        if self._handle is not None:
            self._handle.signal(number)

    def stop(self, seconds: float = 10) -> None:
        """End it; what is in the append-only file stays."""
        if self._handle is not None:
            self._handle.end(signal.SIGTERM, seconds)
            self._handle = None

    def _answers(self) -> bool:
        try:
            return _ask(self.socket_path(), "PING", 1).startswith("+PONG")
        except OSError:
            return False

    def _pid_of_a_hung_one(self) -> int | None:
        """The number in the pid file where that process is a Valkey with our socket (Linux.

        A number alone may be anybody's).
        """
        try:
            pid = int((self._layout.run / "valkey.pid").read_text())
            command_line = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if process_exists(pid) and os.fsencode(self.socket_path()) in command_line else None

    def _launch(self) -> Handle:
        directory, run = self._layout.valkey, self._layout.run
        options = {
            "port": "0",
            "unixsocket": str(self.socket_path()),
            "unixsocketperm": "700",
            "pidfile": str(run / "valkey.pid"),
            "dir": str(directory),
            "databases": "64",
            "maxmemory": "256mb",
            "maxmemory-policy": "noeviction",
            "appendonly": "yes" if self._persistent else "no",
            "appendfsync": "everysec",
            "save": "",
            "set-proc-title": "no",
        }
        arguments = [part for name, value in options.items() for part in (f"--{name}", value)]
        return launch(
            [valkey_program(), *arguments],
            log=self._log,
            environment=os.environ,
            die_with_parent=self._die_with_parent,
        )
