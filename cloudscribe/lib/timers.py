"""One timer thread a process for all that is due again and again: refreshing rules, writing what was put off.

It starts with the first use in a process, after a fork anew, and never runs in a request's thread. With
settings.TIMERS off (tests, commands) nothing runs by itself: who needs it calls the turn.
"""

from __future__ import annotations

import atexit
import dataclasses
import os
import threading
import time
from collections.abc import Callable

import structlog
from django.conf import settings
from django.db import close_old_connections, connections

from cloudscribe.lib.observability.metrics import TIMER_FAILURES

log = structlog.get_logger(__name__)


@dataclasses.dataclass(slots=True)
class _Task:
    name: str
    every: float
    turn: Callable[[], object]
    last_words: bool
    due_at: float = 0.0


class Timers:
    """The tasks of a process and the thread that takes their turns, one after the other."""

    def __init__(self) -> None:
        self._tasks: dict[str, _Task] = {}
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._ends = False

    def add(self, name: str, every: float, turn: Callable[[], object], *, last_words: bool = False) -> None:
        """Take `turn` every so many seconds, the first at once; `last_words` asks for one at the exit."""
        with self._lock:
            self._tasks[name] = _Task(name, every, turn, last_words)
        self._wake.set()

    def ensure_running(self) -> None:
        """Start the thread where this process has none yet; cheap to call."""
        if self._thread is not None or not getattr(settings, "TIMERS", True):
            return
        with self._lock:
            if self._thread is None and not self._ends:
                self._thread = threading.Thread(target=self._run, name="cloudscribe-timers", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the thread and take the last turn of those that asked for one; for a process about to exit."""
        self._ends = True
        self._wake.set()
        thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout=2)
        for task in list(self._tasks.values()):
            if task.last_words:
                self._take(task)

    def after_fork(self) -> None:
        """Forget the parent's thread, which this child doesn't have, and any lock that it held."""
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread = None
        for task in self._tasks.values():
            task.due_at = 0.0

    def _run(self) -> None:
        while not self._ends:
            self._wake.clear()
            now = time.monotonic()
            for task in list(self._tasks.values()):
                if task.due_at <= now:
                    self._take(task)
                    task.due_at = time.monotonic() + task.every
            pending = [task.due_at for task in self._tasks.values()]
            self._wake.wait(max(0.05, min(pending, default=now + 60) - time.monotonic()))
        connections.close_all()

    def _take(self, task: _Task) -> None:
        """One turn; what it raises is counted, and the next turn comes all the same."""
        try:
            close_old_connections()
            task.turn()
        except Exception as error:  # noqa: BLE001 (the thread outlives every failure of a turn)
            TIMER_FAILURES.labels(timer=task.name).inc()
            log.warning("timer_failed", timer=task.name, error=type(error).__name__)


timers = Timers()
os.register_at_fork(after_in_child=timers.after_fork)
atexit.register(timers.stop)
