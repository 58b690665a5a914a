"""Sending what is due, many receivers at a time: a process of its own, forked by the scheduler.

A receiver that hangs holds one thread for CLOUDSCRIBE_WEBHOOK_TIMEOUT seconds and nothing else: no worker of
jobs, and, as one of those that failed lately, only a few of the threads together with its like. Threads ask
the database nothing; the process does that itself, between attempts.
"""

from __future__ import annotations

import dataclasses
import math
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

import structlog
from django.db import InterfaceError, OperationalError, connection

from cloudscribe.jobs.ports import work_is_held
from cloudscribe.jobs.processes import die_with_parent, ended, fork
from cloudscribe.lib.observability.metrics import WEBHOOK_ATTEMPTS, share_file
from documents.services.delivering import deliveries_claim, deliveries_settle, handfuls_standing
from documents.webhook_sending import Handful, Outcome, Parcel, Round

LANES = 16
# So many of them for webhooks whose last attempt failed.
AILING_LANES = 4
# After so long a handful is settled, and another webhook has the lane: what somebody asks for, and what was
# found out of a receiver, waits no longer than that and an attempt.
HANDFUL_SECONDS = 1.0
_POLL_SECONDS = 0.2
_IDLE_SECONDS = 20.0
_LONGEST_LIFE = 3_600.0

log = structlog.get_logger(__name__)


@dataclasses.dataclass(slots=True, eq=False)
class _Lane:
    """A handful under way: what came of those that were sent, in their order."""

    handful: Handful
    ailing: bool
    round: Round
    outcomes: list[Outcome] = dataclasses.field(default_factory=list)

    @property
    def next(self) -> Parcel | None:
        """What is to be sent now; None after the last, after a failure, and when its time is up."""
        sent = len(self.outcomes)
        if sent == len(self.handful.parcels) or (sent and not self.outcomes[-1].delivered):
            return None
        return self.handful.parcels[sent] if self.handful.age < HANDFUL_SECONDS or not sent else None


class Lanes:
    """Handfuls that are under way, in two budgets: of webhooks that are well, and of ailing ones."""

    def __init__(self) -> None:
        """Prepare; threads start with the first attempts."""
        self._threads = ThreadPoolExecutor(LANES, thread_name_prefix="webhooks")
        self._flying: dict[Future[Outcome], _Lane] = {}
        # Those whose attempt has ended, until it is decided what follows.
        self._landed: list[_Lane] = []
        self._looked_at = -math.inf

    def turn(self) -> bool:
        """Begin what is due and there is room for, go on with what has begun; False where neither is.

        What the database could not be told, whose errors this raises, it is told by the next turn.
        """
        found = self._claim() if time.monotonic() - self._looked_at >= _POLL_SECONDS else False
        if not self._flying and not self._landed:
            return found
        done, _ = wait(self._flying, timeout=_POLL_SECONDS, return_when=FIRST_COMPLETED)
        self._landed += [self._noted(future) for future in done]
        self._go_on()
        self._settle()
        return True

    def finish(self) -> None:
        """Wait for the attempts that are under way and write what came of them; start none."""
        self._landed += [self._noted(future) for future in list(self._flying)]
        self._settle()
        self._threads.shutdown()

    def _go_on(self) -> None:
        """Send the next of each handful that has one, if that may still be."""
        onward = [(lane, parcel) for lane in self._landed if (parcel := lane.next) is not None]
        if not onward:
            return
        stands = handfuls_standing([(lane.handful, parcel) for lane, parcel in onward])
        for (lane, parcel), holds in zip(onward, stands, strict=True):
            if holds:
                self._landed.remove(lane)
                self._send(lane, parcel)

    def _settle(self) -> None:
        """Write what came of the handfuls that have ended."""
        while self._landed:
            lane = self._landed[0]
            lane.round.close()
            deliveries_settle(handful=lane.handful, outcomes=lane.outcomes)
            self._landed.pop(0)
            self._look_soon()

    def _claim(self) -> bool:
        self._looked_at, found = time.monotonic(), False
        if work_is_held():
            return found
        for ailing in (False, True):
            most = self._room(ailing=ailing)
            for handful in deliveries_claim(ailing=ailing, most=most) if most else ():
                found = True
                if handful.parcels:
                    self._send(_Lane(handful, ailing, Round(handful)), handful.parcels[0])
                else:
                    self._look_soon()
        return found

    def _send(self, lane: _Lane, parcel: Parcel) -> None:
        self._flying[self._threads.submit(lane.round.send, parcel)] = lane

    def _noted(self, future: Future[Outcome]) -> _Lane:
        """The lane of an attempt, once that has ended."""
        error, lane = future.exception(), self._flying.pop(future)
        if error is not None:
            parcel = lane.handful.parcels[len(lane.outcomes)]
            log.error("webhook_attempt_failed", delivery=str(parcel.uid), exc_info=error)
        outcome = Outcome(lane.handful.now, reason="internal") if error else future.result()
        WEBHOOK_ATTEMPTS.labels(outcome="delivered" if outcome.delivered else "failed").inc()
        lane.outcomes.append(outcome)
        return lane

    def _look_soon(self) -> None:
        """There may be more for the same webhook."""
        self._looked_at = -math.inf

    def _room(self, *, ailing: bool) -> int:
        taken = sum(lane.ailing is ailing for lane in (*self._flying.values(), *self._landed))
        return (AILING_LANES if ailing else LANES - AILING_LANES) - taken


def deliveries_send(goes_on: Callable[[], bool]) -> None:
    """Send what is due and what falls due meanwhile, until nothing has been for 20 s or `goes_on` ends.

    A database that is away for less is waited for: what was sent meanwhile is written when it is back.
    """
    lanes, busy_at = Lanes(), time.monotonic()
    try:
        while goes_on() and time.monotonic() - busy_at < _IDLE_SECONDS:
            try:
                busy = lanes.turn()
            except (InterfaceError, OperationalError):
                log.warning("webhooks_database_away", exc_info=True)
                connection.close()
                busy = False
            if busy:
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
