"""Forking and ending child processes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterable

import structlog
from django.db import connections

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15
_POLL_SECONDS = 0.1
# What work-horses are called in the list of processes.
HORSE_WAITS, HORSE_WORKS = "horse-waits", "horse-works"

log = structlog.get_logger(__name__)


def fork(body: Callable[[], None]) -> int:
    """Run `body` in a child and end it there; gives the child's process id.

    Database connections are closed first: one that two processes share serves neither.
    """
    connections.close_all()
    pid = os.fork()
    if pid:
        return pid
    status = 1
    try:
        body()
        status = 0
    except SystemExit as request:
        status = request.code if isinstance(request.code, int) else 1
    except BaseException:
        log.exception("child_failed")
    finally:
        with contextlib.suppress(Exception):
            connections.close_all()
        # Not sys.exit: the parent's exit handlers are not the child's.
        os._exit(status)


def die_with_parent(number: signal.Signals = signal.SIGTERM) -> None:
    """Let Linux send this process `number` when its parent dies, however it dies."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(number))


def be_called(name: str) -> None:
    """Let Linux show this process under a name of at most fifteen letters."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode())


def ended(pid: int) -> int | None:
    """The wait status of a child that has ended, None while it runs."""
    try:
        found, status = os.waitpid(pid, os.WNOHANG)
    except ChildProcessError:
        return 0
    return status if found else None


def tell(pids: Iterable[int], number: signal.Signals) -> None:
    """Send a signal to each that still lives."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def await_end(pids: Iterable[int], seconds: float) -> set[int]:
    """Wait for children to end; those that run after so many seconds."""
    left = set(pids)
    deadline = time.monotonic() + seconds
    while left and time.monotonic() < deadline:
        left = {pid for pid in left if ended(pid) is None}
        if left:
            time.sleep(_POLL_SECONDS)
    return left
