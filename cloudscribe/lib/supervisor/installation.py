"""What is run: folder, address, and the environment of each kind of process."""

from __future__ import annotations

import dataclasses
import pathlib
import sys
from collections.abc import Mapping

from cloudscribe.lib.embedded.layout import Layout

ROOT = pathlib.Path(__file__).resolve().parents[3]
# In the environment of all that a supervisor starts: the next one finds by it what a SIGKILL left behind.
MARK = "CLOUDSCRIBE_SUPERVISED"
# In that of the web server: the number of the descriptor on which it finds the socket.
SOCKET = "CLOUDSCRIBE_WEB_SOCKET"
OWNER_URLS = {"DATABASE_OWNER_URL", "DATABASE_OWNER_URL_FILE"}


class Misused(Exception):
    """The environment asks for something that can't be; the text says what to change."""


@dataclasses.dataclass(frozen=True)
class Installation:
    """One data folder with its address."""

    layout: Layout
    host: str
    port: int
    environment: Mapping[str, str]

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Installation:
        """Read CLOUDSCRIBE_DATA, CLOUDSCRIBE_BIND and PORT; raises Misused."""
        data = str(pathlib.Path(environment.get("CLOUDSCRIBE_DATA") or ROOT / "var").absolute())
        port = environment.get("PORT") or "8000"
        if not port.isdigit() or not 0 < int(port) < 65536:
            raise Misused(f"PORT must be a number from 1 to 65535, not {port!r}.")
        layout = Layout.at(data)
        marked = {**environment, "CLOUDSCRIBE_DATA": data, "PORT": port, MARK: str(layout.data)}
        marked.setdefault("DJANGO_SETTINGS_MODULE", "cloudscribe.settings")
        return cls(layout, environment.get("CLOUDSCRIBE_BIND") or "127.0.0.1", int(port), marked)

    def with_variables(self, variables: Mapping[str, str]) -> Installation:
        """The same with more in its environment."""
        return dataclasses.replace(self, environment={**self.environment, **variables})

    @property
    def metrics(self) -> pathlib.Path:
        """The folder in which all processes count together."""
        return self.layout.run / "metrics"

    @property
    def local_host(self) -> str:
        """The name under which this machine reaches it."""
        return "127.0.0.1" if self.host in {"0.0.0.0", "::", ""} else self.host  # noqa: S104 (a comparison)

    def child_environment(self, name: str, kind: str) -> dict[str, str]:
        """For a process that serves or works: never with the owner role's address."""
        kept = {key: value for key, value in self.environment.items() if key not in OWNER_URLS}
        return {
            **kept,
            "CLOUDSCRIBE_PROCESS": kind,
            "CLOUDSCRIBE_LOG_FILE": str(self.layout.log / f"{name}.log"),
            "PROMETHEUS_MULTIPROC_DIR": str(self.metrics),
            "PYTHONUNBUFFERED": "1",
        }

    def step_environment(self) -> dict[str, str]:
        """For `prepare`, which manage.py gives the role that it needs."""
        return {**self.environment, "CLOUDSCRIBE_PROCESS": "command"}


def python(*arguments: str) -> list[str]:
    """A command line of this interpreter."""
    return [sys.executable, *arguments]
