"""A whole installation as `make run` starts it, and what can be seen of it from outside."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys

import pytest

from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.postgres import Postgres
from cloudscribe.lib.embedded.processes import Handle, process_exists, wait_until
from cloudscribe.lib.embedded.valkey import Valkey

ROOT = pathlib.Path(__file__).resolve().parents[2]
WORDS = {"web": "gunicorn", "worker": "rqworkers", "scheduler": "scheduler"}


class Run:
    """One supervisor on a data folder of its own, as `make run` starts it."""

    def __init__(self, data: pathlib.Path) -> None:
        self.data = data
        self.port = _free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def environment(self) -> dict[str, str]:
        """The shell's, without what the tests have put there."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        return {
            **kept,
            "CLOUDSCRIBE_DATA": str(self.data),
            "PORT": str(self.port),
            "CLOUDSCRIBE_HEAD_TIMEOUT": "1",
        }

    def command(self) -> subprocess.Popen[bytes]:
        """A supervisor that nobody waits for."""
        log = (self.data.parent / "run.log").open("ab")
        return subprocess.Popen(
            [sys.executable, "-m", "cloudscribe.lib.supervisor"],
            cwd=ROOT,
            env=self.environment(),
            stdout=log,
            stderr=log,
            start_new_session=True,
        )

    def start(self) -> None:
        """Return when it is ready by its own word: what an earlier one left may still answer for a while."""
        before = len(self.journal())
        self.process = self.command()
        wait_until(lambda: "ready" in self.journal()[before:] or not self.serves(), 90, step=0.2)
        assert wait_until(self.whole, 10), self.output()[-3000:]

    def end(self) -> None:
        """Kill all that runs on this folder, servers included."""
        for pid in self.family():
            Handle(pid).end(signal.SIGKILL, 5)
        if self.process is not None:
            self.process.wait()

    def journal(self) -> list[str]:
        """The events that supervisors of this folder have noted."""
        path = Layout(self.data).log / "supervisor.log"
        return [json.loads(line)["event"] for line in path.read_text().splitlines()] if path.exists() else []

    def output(self) -> str:
        """All that it has printed."""
        return (self.data.parent / "run.log").read_text()

    def ready(self) -> bool:
        """Whether /health/ready says 200."""
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)) as connection:
            try:
                connection.request("GET", "/health/ready")
                return connection.getresponse().status == 200
            except (OSError, http.client.HTTPException):
                return False

    def family(self) -> dict[int, str]:
        """All processes of this data folder by number, with their command lines."""
        mark = f"CLOUDSCRIBE_DATA={self.data}".encode()
        found = {}
        for entry in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in entry.joinpath("environ").read_bytes().split(b"\0") and process_exists(
                    int(entry.name)
                ):
                    found[int(entry.name)] = (
                        entry.joinpath("cmdline").read_bytes().replace(b"\0", b" ").decode()
                    )
        return found

    def child(self, word: str, family: dict[int, str] | None = None) -> int | None:
        """The direct child of the supervisor whose command line holds `word`; `family` where it is known."""
        assert self.process is not None
        for pid, line in (self.family() if family is None else family).items():
            if word not in line:
                continue
            with contextlib.suppress(OSError):
                parent = int(pathlib.Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[1])
                if parent == self.process.pid:
                    return pid
        return None

    def serves(self) -> bool:
        """Whether the supervisor was started and has not ended."""
        return self.process is not None and self.process.poll() is None

    def whole(self) -> bool:
        """Whether all of it runs and answers, and nothing of a child that was killed is still there."""
        if not self.serves():
            return False
        family = self.family()
        children = {self.child(word, family) for word in WORDS.values()}
        servers = {kind(Layout(self.data)).pid() for kind in (Postgres, Valkey)}
        if None in children | servers:
            return False
        sessions = set()
        for pid, line in family.items():
            with contextlib.suppress(OSError):
                if any(word in line for word in WORDS.values()):
                    sessions.add(os.getsid(pid))
        return sessions == children and self.ready()


def _free_port() -> int:
    """A port below those that the system hands out, so that no client takes it while nothing listens."""
    for port in random.SystemRandom().sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    pytest.fail("no port is free")
