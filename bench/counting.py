"""What one warm request costs: statements in PostgreSQL's log, commands in Valkey's monitor."""

from __future__ import annotations

import contextlib
import pathlib
import re
import socket
import time
from collections.abc import Callable, Iterator

from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.postgres import Postgres

_STATEMENT = re.compile(r" (?:statement|execute [^:]*): (.*)")
_CONTROL = re.compile(r"(BEGIN|START TRANSACTION|COMMIT|ROLLBACK|SAVEPOINT|RELEASE|SET)\b", re.IGNORECASE)
_MARK = "bench"
_QUEUE_DATABASE = 2
# Left out: what a script does inside the server, and the greeting of a new connection (in database 0).
_COMMAND = re.compile(r'^\+[\d.]+ \[(\d+) (?!lua\])[^\]]*\] "(?!HELLO|CLIENT|AUTH|SELECT)', re.MULTILINE)


class Statements:
    """Counts what the web processes send, by PostgreSQL's own log."""

    def __init__(self, data: pathlib.Path) -> None:
        """Look at the embedded server of this CLOUDSCRIBE_DATA."""
        self._layout = Layout.at(data)
        self._log = self._layout.log / "postgresql.log"

    @contextlib.contextmanager
    def logged(self) -> Iterator[None]:
        """Have every statement logged during the block, with the name of the program that sent it."""
        self._configure("log_statement = 'all'", f"log_line_prefix = '%m [%p] {_MARK} %a '")
        try:
            yield
        finally:
            self._configure("log_statement = 'none'", "log_line_prefix = '%m [%p] %q%u@%d '")

    def of(self, request: Callable[[], object]) -> list[str]:
        """The statements of one request, without transaction control and SET."""
        start = self._log.stat().st_size
        request()
        # The server logs a statement before it runs it, so the log is complete once the answer is here.
        with self._log.open("rb") as log:
            log.seek(start)
            # What a statement says on further lines is indented by a tab.
            lines = log.read().decode(errors="replace").replace("\n\t", " ").splitlines()
        found = []
        for line in lines:
            statement = _STATEMENT.search(line)
            if f"{_MARK} cloudscribe-web" in line and statement and not _CONTROL.match(statement[1].lstrip()):
                found.append(statement[1])
        return found

    def _configure(self, *settings: str) -> None:
        script = "".join(f"ALTER SYSTEM SET {setting};\n" for setting in settings)
        Postgres(self._layout).psql(script + "SELECT pg_reload_conf();")
        time.sleep(1)  # a backend takes the new settings between two statements, when its signal has come


class RedisCommands:
    """Counts the commands that reach Valkey's databases of cache and limits, not those of the job queues.

    Commands are an upper bound of round trips, since a pipeline sends several in one.
    """

    def __init__(self, data: pathlib.Path) -> None:
        """Watch the embedded server of this CLOUDSCRIBE_DATA."""
        self._path = str(Layout.at(data).sockets() / "valkey.sock")

    def of(self, request: Callable[[], object], times: int) -> float:
        """Commands a request over `times` repetitions."""
        with socket.socket(socket.AF_UNIX) as monitor:
            monitor.settimeout(1)
            monitor.connect(self._path)
            monitor.sendall(b"MONITOR\r\n")
            for _ in range(times):
                request()
            text = b""
            with contextlib.suppress(TimeoutError):
                # Ends by the time-out, or at once where a quiet second passes.
                while chunk := monitor.recv(65536):
                    text += chunk
                    monitor.settimeout(0.3)
        databases = _COMMAND.findall(text.decode(errors="replace"))
        return sum(1 for database in databases if int(database) < _QUEUE_DATABASE) / times
