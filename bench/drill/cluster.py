"""A whole installation on a data folder of its own, and its processes by what they do."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterable
from typing import Any

import httpx

from bench import servers
from bench.processes import Process, tree
from cloudscribe.jobs.processes import HORSE_WAITS
from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.postgres import DATABASE, Postgres
from cloudscribe.lib.embedded.processes import process_exists, wait_until
from cloudscribe.lib.embedded.valkey import Valkey

# A drill waits for what happens after a lease or a pause; in production both are longer.
_SHORTENED = {
    "RATELIMIT_ENABLE": "false",
    "CLOUDSCRIBE_JOB_LEASE": "6",
    "CLOUDSCRIBE_JOB_BACKOFF": "0.5",
    "CLOUDSCRIBE_WEBHOOK_ALLOWED_CIDRS": "127.0.0.1/32",
    "CLOUDSCRIBE_WEBHOOK_BACKOFF": "0.5",
    "CLOUDSCRIBE_ADMIN_EMAIL": servers.EMAIL,
    "CLOUDSCRIBE_ADMIN_PASSWORD": servers.PASSWORD,
}


def _called(pid: int) -> str:
    with contextlib.suppress(OSError):
        return pathlib.Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


class Cluster:
    """One supervisor with all that it starts; can be ended in every way and started again."""

    def __init__(self, folder: pathlib.Path, receiver_port: int) -> None:
        """Nothing is started yet; `folder` takes data and output, webhooks may go to that port here."""
        self.folder = folder
        self.data = folder / "data"
        self.base = f"http://127.0.0.1:{(port := servers.free_port())}"
        self.layout = Layout.at(self.data)
        hooks = {"CLOUDSCRIBE_WEBHOOK_ALLOWED_PORTS": str(receiver_port)}
        self.environment = servers.environment(self.data, PORT=str(port), **_SHORTENED, **hooks)
        self._supervisor: subprocess.Popen[bytes] | None = None

    def start(self, seconds: float = 180) -> None:
        """Start it and wait until it serves; raises servers.ServerError."""
        self._supervisor = self.beside("-m", "cloudscribe.lib.supervisor")
        if not wait_until(lambda: self.ready() or not self.runs(), seconds, step=0.1) or not self.runs():
            end = "\n".join((self.folder / "run.log").read_text(errors="replace").splitlines()[-20:])
            raise servers.ServerError(f"The cluster doesn't serve; the end of its output:\n{end}")

    def beside(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Start one more Python process with the environment of this cluster, which nobody looks after."""
        with (self.folder / "run.log").open("ab") as output:
            return subprocess.Popen(
                [sys.executable, *arguments],
                cwd=servers.ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def runs(self) -> bool:
        """Whether the supervisor lives."""
        return self._supervisor is not None and self._supervisor.poll() is None

    def ready(self) -> bool:
        """Whether it serves with all that it depends on, Redis included."""
        with contextlib.suppress(httpx.HTTPError):
            answer = httpx.get(f"{self.base}/health/ready", timeout=2)
            return answer.status_code == httpx.codes.OK and answer.json()["status"] == "ok"
        return False

    def stop(self) -> float:
        """Ask it to end as an operator does; the seconds that it took."""
        assert self._supervisor is not None
        started = time.monotonic()
        self._supervisor.send_signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._supervisor.wait(60)
        return time.monotonic() - started

    def kill(self) -> None:
        """SIGKILL to everything at once, the servers included."""
        for pid in self._family():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not self._family(), 10)
        if self._supervisor is not None:
            self._supervisor.wait()

    def _family(self) -> list[int]:
        """Every process of this data folder: orphans are no longer below the supervisor."""
        mark = os.fsencode(f"CLOUDSCRIBE_DATA={self.data}")
        found = []
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                pid = int(entry.name)
                if mark in entry.joinpath("environ").read_bytes().split(b"\0") and process_exists(pid):
                    found.append(pid)
        return found

    # Who does what: the supervisor's children, what they forked, and what these forked.
    def scheduler(self) -> list[int]:
        """The scheduler that the supervisor started."""
        return self._children("manage.py scheduler")

    def pool(self) -> list[int]:
        """The parent of the workers."""
        return self._children("rqworkers")

    def workers(self) -> list[int]:
        """One worker a queue."""
        return self._below(self.pool())

    def horses(self) -> list[int]:
        """The processes that are doing a job at this moment."""
        return [pid for pid in self._below(self.workers()) if _called(pid) != HORSE_WAITS]

    def web_master(self) -> list[int]:
        """Gunicorn's first process."""
        return self._children("gunicorn")

    def web_workers(self) -> list[int]:
        """The processes that answer requests."""
        return self._below(self.web_master())

    def redis(self) -> list[int]:
        """Valkey."""
        pid = Valkey(self.layout).pid()
        return [pid] if pid else []

    def postgres(self) -> list[int]:
        """The first process of PostgreSQL."""
        pid = Postgres(self.layout).pid()
        return [pid] if pid else []

    def backends(self) -> list[int]:
        """The processes of PostgreSQL that serve the application."""
        served = [each.pid for each in self._tree() if each.command.startswith("postgres: ")]
        asked = "SELECT pid FROM pg_stat_activity WHERE application_name LIKE 'cloudscribe%'"
        return [row["pid"] for row in self.rows(asked) if row["pid"] in served]

    def ask_redis(self, command: str) -> None:
        """Send one command; raises OSError where Redis doesn't answer."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(5)
            connection.connect(str(Valkey(self.layout).socket_path()))
            connection.sendall(f"{command}\r\n".encode())
            connection.recv(4096)

    def _tree(self) -> list[Process]:
        return tree(self._supervisor.pid) if self._supervisor is not None else []

    def _children(self, words: str) -> list[int]:
        top = self._supervisor.pid if self._supervisor is not None else 0
        return [each.pid for each in self._tree() if each.parent == top and words in each.command]

    def _below(self, parents: Iterable[int]) -> list[int]:
        above = set(parents)
        return [each.pid for each in self._tree() if each.parent in above]

    def rows(self, select: str) -> list[dict[str, Any]]:
        """What a SELECT finds, asked as the superuser; raises RuntimeError where the server is away."""
        wrapped = f"SELECT coalesce(json_agg(t), '[]') FROM ({select}) t;"  # noqa: S608 (ours)
        found: list[dict[str, Any]] = json.loads(Postgres(self.layout).psql(wrapped, DATABASE))
        return found

    def command(self, *arguments: str) -> str:
        """Run a command of manage.py here; its output. Raises servers.ServerError unless it ends with 0."""
        return servers.command(self.folder, "manage.py", *arguments)
