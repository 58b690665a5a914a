"""Whether this process can serve: asked with a bound on time, also where a dependency hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connection
from django_redis import get_redis_connection


class _Run(threading.Thread):
    """One run of a check with a verdict of its own: a later run must not take it from who still waits."""

    def __init__(self, check: Callable[[], object]) -> None:
        super().__init__(name="cloudscribe-probe", daemon=True)
        self._check = check
        self.passed = False

    def run(self) -> None:
        try:
            self._check()
            self.passed = True
        except Exception:  # noqa: BLE001 (any failure is the answer "no")
            self.passed = False


class Probe:
    """A check that may hang, run in a thread of its own.

    Whoever asks waits at most `patience` seconds; while one check hangs the next callers wait for the
    same one, so that no more than one thread is ever stuck.
    """

    def __init__(self, check: Callable[[], object], patience: float) -> None:
        self._check = check
        self._patience = patience
        self._lock = threading.Lock()
        self._running: _Run | None = None

    def passes(self) -> bool:
        """Whether the check has just succeeded in time."""
        with self._lock:
            if self._running is None or not self._running.is_alive():
                self._running = _Run(self._check)
                self._running.start()
            run = self._running
        run.join(self._patience)
        return run.passed


def ask_postgres() -> None:
    """One statement on a connection of its own, closed again."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def ask_redis() -> None:
    """One PING."""
    get_redis_connection("default").ping()


postgres_probe = Probe(ask_postgres, patience=1.5)
redis_probe = Probe(ask_redis, patience=0.5)
