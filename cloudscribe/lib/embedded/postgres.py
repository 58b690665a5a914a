"""The embedded PostgreSQL: made, started, adopted and stopped on a unix socket; no TCP port is taken.

Roles: `postgres` (superuser), `cloudscribe_owner` (owns the database and its objects), `cloudscribe` (what
the application signs in as). Authentication is `trust`: the socket's folder is private to the user who
started it.
"""

from __future__ import annotations

import contextlib
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import urllib.parse

from cloudscribe.lib.embedded.binaries import postgres_program
from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.processes import (
    Handle,
    launch,
    process_exists,
    processes_living_in,
    tail,
    wait_until,
)

APP_ROLE = "cloudscribe"
OWNER_ROLE = "cloudscribe_owner"
SUPERUSER = "postgres"
DATABASE = "cloudscribe"

# pg_trgm knows no letter outside ASCII without a UTF-8 LC_CTYPE; macOS has no C.UTF-8.
_CTYPE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"

_SETTINGS = {
    "effective_cache_size": "1GB",
    "max_connections": "60",
    "random_page_cost": "1.1",
    "jit": "off",
    "wal_compression": "on",
    "max_wal_size": "1GB",
    "autovacuum_vacuum_scale_factor": "0.02",
    "autovacuum_analyze_scale_factor": "0.02",
    "autovacuum_vacuum_insert_scale_factor": "0.05",
    "log_line_prefix": "%m [%p] %q%u@%d ",
    "log_timezone": "UTC",
    "timezone": "UTC",
    "cluster_name": "cloudscribe",
}
# For databases that are thrown away: a crash may lose them.
_HASTY = {
    "shared_buffers": "128MB",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "max_wal_size": "4GB",
}

_ROLES_SQL = rf"""
SELECT 'CREATE ROLE {OWNER_ROLE} LOGIN'
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER_ROLE}') \gexec
SELECT 'CREATE ROLE {APP_ROLE} LOGIN'
  WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') \gexec
SELECT $$CREATE DATABASE {DATABASE} OWNER {OWNER_ROLE} TEMPLATE template0 ENCODING 'UTF8'
  LOCALE_PROVIDER builtin BUILTIN_LOCALE 'PG_UNICODE_FAST' LC_COLLATE 'C' LC_CTYPE '{_CTYPE}'$$
  WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{DATABASE}') \gexec
"""  # noqa: S608 (constants of this module)

_STATE_LINE = 7
# What a container may have; elsewhere there is no such file, or it says "max".
_MEMORY_LIMIT = pathlib.Path("/sys/fs/cgroup/memory.max")


class PostgresFailed(RuntimeError):
    """PostgreSQL could not be made, started or asked; the text carries the end of its log."""


def buffers_for(memory: int) -> int:
    """MB of `shared_buffers` on a machine of so many bytes: an eighth of them, from 128 to 512.

    What a search among a million documents reads over and over has room in 512. Only what was read is taken.
    """
    return min(max(memory // 8 // 2**20, 128), 512)


def _memory() -> int:
    """Bytes of memory that this process may count on; 0 where nothing tells."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (OSError, ValueError):
        return 0
    with contextlib.suppress(OSError, ValueError):
        return min(memory, int(_MEMORY_LIMIT.read_text()))
    return memory


def _environment() -> dict[str, str]:
    """Ours without what leads PostgreSQL's programs elsewhere or names a locale that isn't there."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
    return {**kept, "LC_ALL": "C"}


class Postgres:
    """The server of one layout."""

    name = "postgresql"

    def __init__(self, layout: Layout, *, hasty: bool = False, die_with_parent: bool = False) -> None:
        """`hasty` gives durability up for speed (tests).

        `die_with_parent` binds the server's life to this process.
        """
        self._layout = layout
        self._hasty = hasty
        self._die_with_parent = die_with_parent
        self._handle: Handle | None = None
        self._log = layout.log / "postgresql.log"

    def url(self, role: str = APP_ROLE, database: str = DATABASE) -> str:
        """The address of the database for `role`, the socket's folder percent-encoded as host."""
        host = urllib.parse.quote(str(self._layout.sockets()), safe="")
        return f"postgres://{role}@{host}/{database}"

    def pid(self) -> int | None:
        """The postmaster that runs on this data directory, whoever started it."""
        try:
            pid = int(self._status_lines()[0])
        except (OSError, ValueError, IndexError):
            return None
        if sys.platform == "linux":
            return pid if pid in processes_living_in(self._layout.postgres) else None
        return pid if process_exists(pid) else None

    def start(self, seconds: float = 60) -> None:
        """Make the cluster where there is none, adopt a running server or start one, make roles and database.

        Returns when it answers. Raises PostgresFailed after `seconds`, ServersMissing.
        """
        if not (self._layout.postgres / "PG_VERSION").exists():
            self._initialise()
        running = self.pid()
        if running is not None and self._state(running) == "stopping":
            Handle(running).end(signal.SIGINT, 10)
            running = None
        if running is None:
            self._clear_leftovers()
            self._handle = self._launch()
        else:
            self._handle = Handle(running)
        if not wait_until(self._ready_or_dead, seconds) or not self.alive():
            raise PostgresFailed(f"PostgreSQL did not start; the end of {self._log}:\n{tail(self._log)}")
        self.psql(_ROLES_SQL)

    def alive(self) -> bool:
        """Whether the server that `start` started or adopted still runs and takes connections.

        One that was sent a SIGTERM waits for its clients to leave, which persistent connections never do.
        """
        handle = self._handle
        return handle is not None and handle.alive() and self._state(handle.pid) != "stopping"

    def stop(self, seconds: float = 10) -> None:
        """End it: connections are closed and a checkpoint is written ("fast"); a hasty one.

        Which nobody will read, at once.
        """
        if self._handle is not None:
            self._handle.end(signal.SIGQUIT if self._hasty else signal.SIGINT, seconds)
            self._handle = None

    def stop_cleanly(self) -> None:
        """End it with a checkpoint, also where it is hasty: its directory can be copied afterwards."""
        if self._handle is not None:
            self._handle.end(signal.SIGINT, 60)
            self._handle = None

    def psql(self, sql: str, database: str = SUPERUSER) -> str:
        """Run a psql script as superuser and return its bare output; raises PostgresFailed."""
        command: list[str | os.PathLike[str]] = [
            postgres_program("psql"),
            "-h",
            self._layout.sockets(),
            "-U",
            SUPERUSER,
            "-d",
            database,
            "-XqAt",
            "-v",
            "ON_ERROR_STOP=1",
        ]
        done = subprocess.run(
            command, input=sql, capture_output=True, text=True, env=_environment(), check=False
        )
        if done.returncode != 0:
            raise PostgresFailed(done.stderr.strip())
        return done.stdout

    def _status_lines(self) -> list[str]:
        return (self._layout.postgres / "postmaster.pid").read_text().splitlines()

    def _state(self, pid: int) -> str:
        """The postmaster's own word on its state, as pg_ctl reads it; empty where it has said none."""
        try:
            lines = self._status_lines()
            return lines[_STATE_LINE].strip() if int(lines[0]) == pid else ""
        except (OSError, ValueError, IndexError):
            return ""

    def _ready_or_dead(self) -> bool:
        return not self.alive() or (self._handle is not None and self._state(self._handle.pid) == "ready")

    def _initialise(self) -> None:
        """Run initdb beside the final place, so that one that was cut short is never taken for a cluster."""
        fresh = self._layout.postgres.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        command: list[str | os.PathLike[str]] = [
            postgres_program("initdb"),
            *(
                "-D",
                str(fresh),
                "-U",
                SUPERUSER,
                "-A",
                "trust",
                "-E",
                "UTF8",
                "--data-checksums",
                "--no-instructions",
            ),
            *("--locale-provider=builtin", "--builtin-locale=PG_UNICODE_FAST", f"--lc-ctype={_CTYPE}"),
            *(["--no-sync"] if self._hasty else []),
        ]
        log = self._layout.log / "initdb.log"
        handle = launch(command, log=log, environment=_environment(), unprivileged=True, owned=[fresh])
        wait_until(lambda: not handle.alive(), 120)
        if handle.alive() or not (fresh / "global" / "pg_control").exists():
            raise PostgresFailed(f"initdb failed; the end of {log}:\n{tail(log)}")
        with (fresh / "postgresql.conf").open("a") as configuration:
            configuration.write("\ninclude_if_exists = 'cloudscribe.conf'\n")
        fresh.rename(self._layout.postgres)

    def _write_settings(self) -> None:
        """A file of ours, read before postgresql.auto.conf: what an operator sets by ALTER SYSTEM wins."""
        buffers = {"shared_buffers": f"{buffers_for(_memory())}MB"}
        settings = {**buffers, **_SETTINGS, **(_HASTY if self._hasty else {})}
        text = "".join(f"{name} = '{value}'\n" for name, value in settings.items())
        path = self._layout.postgres / "cloudscribe.conf"
        path.write_text(text)
        # Under a narrow umask root's file would be closed to the user that the server runs as.
        path.chmod(0o644)

    def _launch(self) -> Handle:
        self._write_settings()
        command: list[str | os.PathLike[str]] = [
            postgres_program("postgres"),
            *("-D", str(self._layout.postgres), "-k", str(self._layout.sockets())),
            *("-c", "listen_addresses=", "-c", "unix_socket_permissions=0700"),
        ]
        return launch(
            command,
            log=self._log,
            environment=_environment(),
            unprivileged=True,
            owned=[self._layout.postgres, self._layout.run],
            die_with_parent=self._die_with_parent,
        )

    def _clear_leftovers(self) -> None:
        """After a SIGKILL of the postmaster.

        End its last children, then drop a pid file whose number may be another program's by now.

        The order matters: two postmasters on one directory destroy it, and the pid file is what keeps them
        apart while children live.
        """
        directory = self._layout.postgres
        if sys.platform != "linux":
            return
        if not wait_until(lambda: not processes_living_in(directory), 3):
            for pid in processes_living_in(directory):
                Handle(pid).end(signal.SIGKILL, 1)
        (directory / "postmaster.pid").unlink(missing_ok=True)
        # PostgreSQL removes a socket of its own name, but its lock file names a process number, too.
        (self._layout.run / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
