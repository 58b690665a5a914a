"""The processes under the supervisor: started, watched, started again, ended with all that they forked."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence

from cloudscribe.lib.embedded.processes import process_exists
from cloudscribe.lib.supervisor.installation import MARK, ROOT

LAUNCHER = pathlib.Path(__file__).parents[1] / "embedded" / "launch.py"
# A child that lived so long has started well: its next death is a new trouble, not the same one.
_SETTLED = 10.0
_LONGEST_PAUSE = 4.0
_ORPHAN_GRACE = 20.0
# So long what serves on waits for a successor that doesn't come.
_RELIEF = 60.0


def _numbers() -> list[int]:
    return [int(entry.name) for entry in pathlib.Path("/proc").glob("[0-9]*")]


def session_members(session: int) -> list[int]:
    """The processes of a session, its leader included (Linux; elsewhere the leader alone)."""
    found = []
    for pid in _numbers() or [session]:
        with contextlib.suppress(OSError):
            if os.getsid(pid) == session and process_exists(pid):
                found.append(pid)
    return found


def signal_all(pids: Sequence[int], number: int) -> None:
    """Send a signal to each that is still there and ours."""
    for pid in pids:
        with contextlib.suppress(OSError):
            os.kill(pid, number)


def leftovers(data: pathlib.Path) -> list[int]:
    """What an earlier supervisor of this data folder started and a SIGKILL left (Linux), servers apart."""
    mark = f"{MARK}={data}".encode()
    found = []
    for pid in _numbers():
        with contextlib.suppress(OSError):
            environment = pathlib.Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
            if mark in environment and pid != os.getpid() and process_exists(pid):
                found.append(pid)
    return found


def spawn(
    command: Sequence[str], environment: Mapping[str, str], handed: Sequence[int] = (), **streams: int
) -> subprocess.Popen[str]:
    """Start in a session of its own (a Ctrl-C reaches the supervisor alone) that ends with the supervisor.

    It finds the `handed` descriptors under their numbers.
    """
    launcher = [command[0], "-I", "-S", str(LAUNCHER), "--parent", str(os.getpid()), "--", *command]
    process: subprocess.Popen[str] = subprocess.Popen(
        launcher,
        cwd=ROOT,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        pass_fds=handed,
        text=True,
        **streams,  # type: ignore[call-overload]
    )
    return process


class Child:
    """One process that must run as long as the supervisor does.

    Where `serves_on`, what it forked goes on without it until its successor has forked, too.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        environment: Mapping[str, str],
        *,
        handed: Sequence[int] = (),
        serves_on: bool = False,
    ) -> None:
        """Nothing is started yet; it is given the `handed` descriptors."""
        self.name = name
        self._command = command
        self._environment = environment
        self._handed = handed
        self._serves_on = serves_on
        self._process: subprocess.Popen[str] | None = None
        self._started = 0.0
        self._pause = 0.0
        self._due = 0.0
        # Sessions of dead ones, and when what is left of them is asked to end, or else killed.
        self._serving: dict[int, float] = {}
        self._orphans: dict[int, float] = {}

    @property
    def pid(self) -> int | None:
        """The number of the running process."""
        return self._process.pid if self._process else None

    def start(self) -> None:
        """Start it."""
        self._process = spawn(self._command, self._environment, self._handed)
        self._started = time.monotonic()

    def look_after(self) -> str | None:
        """Start it again where it has died and its pause is over; says what happened, where something did."""
        self._relieve()
        self._end_old_orphans()
        if self._process is None:
            if time.monotonic() >= self._due:
                self.start()
                return "started again"
            return None
        code = self._process.poll()
        if code is None:
            return None
        self._mourn(self._process.pid)
        return f"ended with {code}"

    def ask_to_end(self) -> None:
        """SIGTERM: finish what was accepted, take nothing new."""
        for session in list(self._serving):
            self._ask_orphans(session)
        if self._process is not None:
            signal_all([self._process.pid], signal.SIGTERM)

    def ended(self) -> bool:
        """Whether it and all that it forked are gone."""
        if self._process is not None:
            if self._process.poll() is None:
                return False
            signal_all(session_members(self._process.pid), signal.SIGTERM)
        return not any(session_members(session) for session in self._sessions())

    def kill(self) -> None:
        """SIGKILL to it and all that it forked."""
        for session in self._sessions():
            signal_all(session_members(session), signal.SIGKILL)
        if self._process is not None:
            self._process.wait()

    def _sessions(self) -> list[int]:
        return [*self._serving, *self._orphans, *([self._process.pid] if self._process else [])]

    def _mourn(self, pid: int) -> None:
        """Decide when the next one starts: at once, later if it keeps dying.

        What it forked is asked to end, or waits for that one.
        """
        now = time.monotonic()
        if self._serves_on:
            self._serving[pid] = now + _RELIEF
        else:
            self._ask_orphans(pid)
        settled = now - self._started > _SETTLED
        self._pause = 0.0 if settled else min(_LONGEST_PAUSE, max(0.25, self._pause * 2))
        self._due = now + self._pause
        self._process = None

    def _relieve(self) -> None:
        """Ask those that serve on to end, where others serve by now."""
        if not self._serving:
            return
        relieved = self._process is not None and len(session_members(self._process.pid)) > 1
        for session, deadline in list(self._serving.items()):
            if relieved or time.monotonic() > deadline:
                self._ask_orphans(session)

    def _ask_orphans(self, session: int) -> None:
        self._serving.pop(session, None)
        signal_all(session_members(session), signal.SIGTERM)
        self._orphans[session] = time.monotonic() + _ORPHAN_GRACE

    def _end_old_orphans(self) -> None:
        for session, deadline in list(self._orphans.items()):
            if time.monotonic() > deadline:
                signal_all(session_members(session), signal.SIGKILL)
                del self._orphans[session]
