"""Sending what is due, many receivers at a time: a process of its own, forked by the scheduler.

A receiver that hangs holds one thread for CLOUDSCRIBE_WEBHOOK_TIMEOUT seconds and nothing else: no worker of
jobs, and, as one of those that failed lately, only a few of the threads together with its like. Threads ask
the database nothing; the process does that itself, between attempts.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import structlog

from cloudscribe.jobs.processes import die_with_parent, ended, fork
from cloudscribe.lib.observability.metrics import share_file
from documents.services.delivering import deliveries_claim, delivery_settle
from documents.webhook_sending import Outcome, Parcel, parcel_send

LANES = 16
# So many of them for webhooks whose last attempt failed.
AILING_LANES = 4
_POLL_SECONDS = 0.2
_IDLE_SECONDS = 20.0
_LONGEST_LIFE = 3_600.0

log = structlog.get_logger(__name__)


class Lanes:
    """Attempts that are under way, in two budgets: of webhooks that are well, and of ailing ones."""

    def __init__(self) -> None:
        """Prepare; threads start with the first attempts."""
        self._threads = ThreadPoolExecutor(LANES, thread_name_prefix="webhooks")
        self._flying: dict[Future[Outcome], tuple[Parcel, bool]] = {}

    def turn(self) -> bool:
        """Start what is due and there is room for, write what has ended; False where nothing is under way."""
        for ailing in (False, True):
            most = self._room(ailing=ailing)
            for parcel in deliveries_claim(ailing=ailing, most=most) if most else ():
                self._flying[self._threads.submit(parcel_send, parcel)] = (parcel, ailing)
        if not self._flying:
            return False
        done, _ = wait(self._flying, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        for future in done:
            parcel, _ = self._flying.pop(future)
            error = future.exception()
            if error is not None:
                log.error("webhook_attempt_failed", delivery=str(parcel.uid), exc_info=error)
            outcome = Outcome(0.0, reason="internal") if error else future.result()
            delivery_settle(parcel=parcel, outcome=outcome)
        return True

    def finish(self) -> None:
        """Wait for the attempts that are under way and write what came of them; start none."""
        for future, (parcel, _) in self._flying.items():
            if not (future.exception()):
                delivery_settle(parcel=parcel, outcome=future.result())
        self._flying.clear()
        self._threads.shutdown()

    def _room(self, *, ailing: bool) -> int:
        taken = sum(of_ailing is ailing for _, of_ailing in self._flying.values())
        return (AILING_LANES if ailing else LANES - AILING_LANES) - taken


def deliveries_send(goes_on: Callable[[], bool]) -> None:
    """Send what is due and what falls due meanwhile, until nothing has been for 20 s or `goes_on` ends."""
    lanes, busy_at = Lanes(), time.monotonic()
    try:
        while goes_on() and time.monotonic() - busy_at < _IDLE_SECONDS:
            if lanes.turn():
                busy_at = time.monotonic()
            else:
                time.sleep(_POLL_SECONDS)
    finally:
        lanes.finish()


def deliveries_send_due() -> None:
    """Send what is due by now, and wait for it: for tests and drills."""
    lanes = Lanes()
    while lanes.turn():
        pass
    lanes.finish()


class Sender:
    """The sending process, if there is one; the scheduler's loop keeps it alive while there is work."""

    def __init__(self) -> None:
        """No process yet."""
        self._pid = 0

    def tend(self, is_due: Callable[[], bool]) -> None:
        """Start the process where something is due and none runs."""
        if self._pid and ended(self._pid) is None:
            return
        self._pid = fork(_send) if is_due() else 0


def _send() -> None:
    """In a child: until the scheduler ends, or says so."""
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent, until = os.getppid(), time.monotonic() + _LONGEST_LIFE
    die_with_parent()
    os.setpgrp()
    share_file(f"webhooks-{parent}")
    deliveries_send(lambda: not told.is_set() and os.getppid() == parent and time.monotonic() < until)
