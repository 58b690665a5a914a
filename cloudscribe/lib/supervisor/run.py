"""The supervisor itself: one thread that starts everything in order, watches it, and ends it in order."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from typing import IO

from cloudscribe.lib.embedded.processes import wait_until
from cloudscribe.lib.embedded.secrets_file import missing_secrets
from cloudscribe.lib.embedded.sharing import Server, SharedServers, changing
from cloudscribe.lib.supervisor.address import Address
from cloudscribe.lib.supervisor.banner import banner
from cloudscribe.lib.supervisor.children import Child, leftovers, session_members, signal_all, spawn
from cloudscribe.lib.supervisor.installation import SOCKET, Installation, Misused, python
from cloudscribe.lib.supervisor.journal import Journal
from cloudscribe.lib.supervisor.signals import Signals

# Requests and jobs get this long to finish; what remains of the promised 30 s is for Valkey and PostgreSQL.
_GRACE = 23.0
_WATCH_INTERVAL = 0.5
_SERVER_PAUSE = 2.0


class Stopped(Exception):
    """Somebody asked to end while we were still starting."""


class Supervisor:
    """Everything of one installation, from the first start to the last process."""

    def __init__(self, installation: Installation) -> None:
        """Nothing is started yet."""
        self._installation = installation
        self._journal = Journal(installation.layout.log)
        self._signals = Signals()
        self._servers = SharedServers(installation.layout, installation.environment)
        self._address = Address(installation.host, installation.port)
        self._children: list[Child] = []
        self._server_due: dict[str, float] = {}

    def run(self) -> None:
        """Serve until a signal asks to end.

        Raises Misused, StepFailed and what the servers raise at the start.
        """
        with self._claim():
            self._clear_the_way()
            self._serve()

    def _serve(self) -> None:
        try:
            self._journal.say("starting", data=str(self._installation.layout.data))
            self._servers.open()
            self._complete_environment()
            administrator = self._prepare_database()
            self._start_children()
            self._watch(administrator)
        except Stopped:
            pass
        finally:
            self._end()

    def _claim(self) -> IO[str]:
        """Hold the data folder for this supervisor alone; the kernel lets go with the process."""
        lock = (self._installation.layout.run / "supervisor.lock").open("a+")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            owner = lock.read().strip()
            raise Misused(
                f"CloudScribe already runs on {self._installation.layout.data} (process {owner}). "
                "Stop it first, or set CLOUDSCRIBE_DATA and PORT to run a second one."
            ) from None
        lock.truncate(0)
        lock.write(str(os.getpid()))
        lock.flush()
        return lock

    def _clear_the_way(self) -> None:
        """End what an earlier supervisor could not, then make sure of the port."""
        layout = self._installation.layout
        left = leftovers(layout.data)
        signal_all(left, signal.SIGTERM)
        if left and not wait_until(lambda: not leftovers(layout.data), 3):
            signal_all(leftovers(layout.data), signal.SIGKILL)
            wait_until(lambda: not leftovers(layout.data), 5)
        self._address.take()

    def _complete_environment(self) -> None:
        found = self._installation
        secrets = missing_secrets(found.layout, found.environment)
        self._installation = found.with_variables({**self._servers.addresses(), **secrets})
        # Where assets may be collected to; looked into also where they never were.
        (found.layout.data / "static").mkdir(exist_ok=True)
        shutil.rmtree(found.metrics, ignore_errors=True)
        found.metrics.mkdir(mode=0o700)

    def _prepare_database(self) -> Mapping[str, str | None]:
        """Migrate, make what a new installation needs.

        Returns the administrator's e-mail and fresh password.
        """
        self._journal.say("migrating")
        lines = self._step("prepare").splitlines()
        try:
            told = json.loads(lines[-1])
        except (IndexError, ValueError):
            return {}
        return told if isinstance(told, dict) else {}

    def _step(self, *arguments: str) -> str:
        """Run one command of manage.py to its end and return its standard output.

        Raises StepFailed, Stopped.
        """
        process = spawn(
            python("manage.py", *arguments), self._installation.step_environment(), stdout=subprocess.PIPE
        )
        while True:
            try:
                output, _ = process.communicate(timeout=_WATCH_INTERVAL)
            except subprocess.TimeoutExpired:
                self._signals.wait(0)
                if self._signals.ending:
                    signal_all(session_members(process.pid), signal.SIGTERM)
                    process.wait()
                    raise Stopped from None
                continue
            if process.returncode != 0:
                raise StepFailed(f"manage.py {arguments[0]} ended with {process.returncode}")
            return output

    def _start_children(self) -> None:
        found = self._installation
        held = self._address.listen()
        gunicorn = python("-m", "gunicorn", "cloudscribe.wsgi:application", "-c", "cloudscribe/gunicorn.py")
        served = {**found.child_environment("web", "web"), SOCKET: str(held)}
        self._children = [
            Child("web", [*gunicorn, "--no-control-socket"], served, handed=[held], serves_on=True),
            Child("worker", python("manage.py", "rqworkers"), found.child_environment("worker", "job")),
            Child("scheduler", python("manage.py", "scheduler"), found.child_environment("scheduler", "job")),
        ]
        for child in self._children:
            child.start()

    def _watch(self, administrator: Mapping[str, str | None]) -> None:
        ready = False
        while not self._signals.ending:
            for server in self._servers.servers:
                self._look_after_server(server)
            for child in self._children:
                happened = child.look_after()
                if happened:
                    self._journal.say(happened, level="warning", child=child.name, pid=child.pid)
            if not ready and self._answers():
                ready = True
                self._journal.say("ready", port=self._installation.port)
                self._journal.show(banner(self._installation, administrator))
            self._signals.wait(_WATCH_INTERVAL if ready else 0.2)

    def _look_after_server(self, server: Server) -> None:
        if server.alive() or time.monotonic() < self._server_due.get(server.name, 0):
            return
        self._journal.say("died", level="warning", child=server.name)
        try:
            with changing(self._installation.layout):
                server.start()
        except RuntimeError as problem:
            self._server_due[server.name] = time.monotonic() + _SERVER_PAUSE
            self._journal.say("could not be started", level="error", child=server.name, problem=str(problem))
            return
        self._journal.say("started again", level="warning", child=server.name)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(
            self._installation.local_host, self._installation.port, timeout=2
        )
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def _end(self) -> None:
        """Web, workers and scheduler finish what they have, then the servers end, all within 30 s."""
        self._journal.say("stopping")
        self._address.close()
        deadline = time.monotonic() + _GRACE
        for child in self._children:
            child.ask_to_end()
        for child in self._children:
            wait_until(child.ended, max(0.0, deadline - time.monotonic()), step=0.1)
            child.kill()
        self._servers.close(stop_always=True)
        self._journal.say("stopped")


class StepFailed(RuntimeError):
    """A command that must succeed before anything is served did not; it has said why itself."""
