"""Processes that may or may not be children of ours: started here, or found running from an earlier start."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence

LAUNCHER = pathlib.Path(__file__).with_name("launch.py")


def process_exists(pid: int) -> bool:
    """Whether a process of that number runs; a zombie does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    with contextlib.suppress(OSError):
        # A container whose first process does not reap keeps the dead in the table for ever.
        return pathlib.Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[0] != b"Z"
    return sys.platform != "linux"


def processes_living_in(directory: pathlib.Path) -> list[int]:
    """The numbers of the processes whose working directory is `directory` (Linux.

    Elsewhere none are seen).
    """
    found = []
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if entry.joinpath("cwd").readlink() == directory and process_exists(int(entry.name)):
                found.append(int(entry.name))
    return found


def wait_until(condition: Callable[[], bool], seconds: float, step: float = 0.05) -> bool:
    """Ask until `condition` holds or `seconds` have passed; whether it held."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(step)
    return True


def use_batch_scheduling() -> None:
    """Have this process, and those that it starts from now on, interrupt nobody when they wake up.

    Linux gives a processor at once to whoever is woken on it: to a thread whose interpreter the one that woke
    it still holds, to PostgreSQL before the one that asks has let go of the interpreter. Under SCHED_BATCH
    (sched(7)) whoever runs goes on until it waits. It takes no privilege; where somebody has chosen another
    policy, and on other systems, nothing changes.
    """
    if sys.platform == "linux" and os.sched_getscheduler(0) == os.SCHED_OTHER:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


class Handle:
    """One running process, child of ours or adopted."""

    def __init__(self, pid: int, child: subprocess.Popen[bytes] | None = None) -> None:
        """Hold process `pid`; `child` where we started it."""
        self.pid = pid
        self._child = child

    def alive(self) -> bool:
        """Whether it still runs (reaps a child that ended)."""
        if self._child is not None:
            return self._child.poll() is None
        return process_exists(self.pid)

    def signal(self, number: int) -> None:
        """Send a signal; one that is gone is no error."""
        if self.alive():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def end(self, number: int, seconds: float) -> None:
        """Send `number`, wait up to `seconds`, then SIGKILL."""
        self.signal(number)
        if not wait_until(lambda: not self.alive(), seconds):
            self.signal(signal.SIGKILL)
            wait_until(lambda: not self.alive(), 5)


def launch(
    command: Sequence[str | os.PathLike[str]],
    *,
    log: pathlib.Path,
    environment: Mapping[str, str],
    unprivileged: bool = False,
    owned: Iterable[pathlib.Path] = (),
    die_with_parent: bool = False,
) -> Handle:
    """Start a server in a session of its own, its output appended to `log`.

    So that a Ctrl-C at the terminal does not reach it.
    """
    prefix: list[str | os.PathLike[str]] = [sys.executable, "-I", "-S", LAUNCHER]
    if die_with_parent:
        prefix += ["--parent", str(os.getpid()), "--signal", str(int(signal.SIGQUIT))]
    if unprivileged:
        prefix += ["--unprivileged", *(f"--own={directory}" for directory in owned)]
    with log.open("ab") as output:
        child = subprocess.Popen(
            [*prefix, "--", *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=dict(environment),
            start_new_session=True,
        )
    return Handle(child.pid, child)


def tail(path: pathlib.Path, lines: int = 12) -> str:
    """The last lines of a log, for an error message."""
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""
