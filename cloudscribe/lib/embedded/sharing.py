"""Servers shared by everything that uses one CLOUDSCRIBE_DATA.

The first user starts them, the last one stops them.

Every user holds a shared lock on `run/users.lock` while it works; the kernel drops it with the process, so a
SIGKILL leaves no trace. Starting and stopping happen under an exclusive lock on `run/change.lock`.
"""

from __future__ import annotations

import atexit
import contextlib
import fcntl
import os
from collections.abc import Iterator, Mapping
from typing import IO, Protocol

from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.postgres import OWNER_ROLE, Postgres
from cloudscribe.lib.embedded.secrets_file import missing_secrets
from cloudscribe.lib.embedded.valkey import Valkey


class Server(Protocol):
    """What the sharing and the supervisor ask of a server."""

    name: str

    def start(self) -> None:
        """Adopt or start it and wait until it answers."""

    def alive(self) -> bool:
        """Whether it still runs."""

    def stop(self, seconds: float = 10) -> None:
        """End it within about that time."""


@contextlib.contextmanager
def changing(layout: Layout) -> Iterator[None]:
    """Hold the right to start and stop this layout's servers."""
    with (layout.run / "change.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


class SharedServers:
    """The embedded servers that an environment does not name, as one user of them sees them."""

    def __init__(self, layout: Layout, environment: Mapping[str, str]) -> None:
        """Decide what is embedded: PostgreSQL without `DATABASE_URL`, Valkey without `REDIS_URL`."""
        self._layout = layout
        self._users: IO[str] | None = None
        self.postgres = None if _given(environment, "DATABASE_URL") else Postgres(layout)
        self.valkey = None if _given(environment, "REDIS_URL") else Valkey(layout)

    @property
    def servers(self) -> list[Server]:
        """The embedded ones, in the order in which they start."""
        return [server for server in (self.postgres, self.valkey) if server is not None]

    def addresses(self) -> dict[str, str]:
        """The variables that lead the application to the embedded servers."""
        found: dict[str, str] = {}
        if self.postgres is not None:
            found["DATABASE_URL"] = self.postgres.url()
            found["DATABASE_OWNER_URL"] = self.postgres.url(OWNER_ROLE)
        if self.valkey is not None:
            found["REDIS_URL"] = self.valkey.url()
        return found

    def open(self) -> None:
        """Count as a user, then adopt or start what is embedded; raises what the servers raise."""
        self._users = (self._layout.run / "users.lock").open("w")
        with changing(self._layout):
            fcntl.flock(self._users, fcntl.LOCK_SH)
            for server in self.servers:
                server.start()

    def close(self, *, stop_always: bool = False) -> None:
        """Cease to be a user; the last one stops the servers.

        `stop_always` does not ask who else uses them.
        """
        if self._users is None:
            return
        with changing(self._layout):
            if stop_always or _is_last(self._users):
                for server in reversed(self.servers):
                    server.stop()
            self._users.close()
            self._users = None


def _given(environment: Mapping[str, str], name: str) -> bool:
    return bool(environment.get(name) or environment.get(f"{name}_FILE"))


def _is_last(users: IO[str]) -> bool:
    try:
        # Turning the shared lock into an exclusive one works only where nobody else shares it.
        fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def ensure_servers(
    data: str | os.PathLike[str], *, start: bool = True, keep_keys: bool = True
) -> dict[str, str]:
    """Make servers and keys available to this command and say where: the variables to add to the environment.

    Without `start` nothing is started and the addresses are those where the servers would listen; without
    `keep_keys` none are left behind where there were none.

    Servers of a running `make run` (or of another command) with the same `data` are used; else they are
    started now and stopped when the last command that uses them ends. Raises PostgresFailed, ValkeyFailed,
    ServersMissing.
    """
    layout = Layout.at(data)
    shared = SharedServers(layout, os.environ)
    if start and shared.servers:
        owner = os.getpid()

        def leave() -> None:
            # A forked child that ends runs this, too, and must not pull the servers away from under its
            # parent.
            if os.getpid() == owner:
                shared.close()

        atexit.register(leave)
        shared.open()
    return {**shared.addresses(), **missing_secrets(layout, os.environ, keep=keep_keys)}
