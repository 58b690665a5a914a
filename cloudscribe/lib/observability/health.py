"""Whether this process can serve: asked with a bound on time, also where a dependency hangs."""

from __future__ import annotations

import threading
from collections.abc import Callable

from django.db import connection
from django_redis import get_redis_connection


class Probe:
    """A check that may hang, run in a thread of its own.

    Whoever asks waits at most `patience` seconds; while one check hangs the next callers wait for the
    same one, so that no more than one thread is ever stuck.
    """

    def __init__(self, check: Callable[[], object], patience: float) -> None:
        self._check = check
        self._patience = patience
        self._lock = threading.Lock()
        self._running: threading.Thread | None = None
        self._passed = False

    def passes(self) -> bool:
        """Whether the check has just succeeded in time."""
        with self._lock:
            if self._running is None or not self._running.is_alive():
                self._passed = False
                self._running = threading.Thread(target=self._run, name="cloudscribe-probe", daemon=True)
                self._running.start()
            thread = self._running
        thread.join(self._patience)
        return self._passed and not thread.is_alive()

    def _run(self) -> None:
        try:
            self._check()
            self._passed = True
        except Exception:  # noqa: BLE001 (any failure is the answer "no")
            self._passed = False


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
