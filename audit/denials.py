"""Refusals on the record, which nobody can fill by them: the first at once, its repeats of a minute as one.

Counted per process. What is counted and not yet written is lost with a killed process.
"""

from __future__ import annotations

import atexit
import dataclasses
import threading
import time
import uuid
from collections.abc import Hashable

import structlog
from django.db import DatabaseError, transaction

from audit.services import Entry, Target, events_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.context import RequestContext, current_context
from cloudscribe.lib.timers import timers

_WINDOW_SECONDS = 60.0
_FLUSH_SECONDS = 5.0
_MOST_WINDOWS = 10_000

log = structlog.get_logger(__name__)


@dataclasses.dataclass(slots=True)
class _Window:
    entry: Entry
    ends_at: float
    repeats: int = 0


class DenialLog:
    """The minutes that are open in this process."""

    def __init__(self) -> None:
        """Start with none."""
        self._lock = threading.Lock()
        self._windows: dict[Hashable, _Window] = {}

    def add(self, key: Hashable, entry: Entry) -> None:
        """Write the first of its minute at once, in a transaction of its own, and count what follows."""
        with self._lock:
            window = self._windows.get(key)
            now = time.monotonic()
            if window is not None and now < window.ends_at:
                window.repeats += 1
                return
            if window is None and len(self._windows) >= _MOST_WINDOWS:
                # Beyond that many kinds of refusals in a minute they are counted together.
                key = "overflow"
                if key in self._windows:
                    self._windows[key].repeats += 1
                    return
            self._windows[key] = _Window(entry, now + _WINDOW_SECONDS)
        _write([entry, *_counted([window] if window else [])])

    def flush(self, *, all_of_them: bool = False) -> None:
        """Write the repeats of minutes that are over, or of all, and forget those minutes."""
        now = time.monotonic()
        with self._lock:
            over = [key for key, window in self._windows.items() if all_of_them or window.ends_at <= now]
            windows = [self._windows.pop(key) for key in over]
        _write(_counted(windows))


def _counted(windows: list[_Window]) -> list[Entry]:
    return [dataclasses.replace(window.entry, count=window.repeats) for window in windows if window.repeats]


def _write(entries: list[Entry]) -> None:
    """A refusal that can't be recorded stays a refusal: the client's answer doesn't depend on it."""
    if not entries:
        return
    try:
        with transaction.atomic():
            events_record(entries)
    except DatabaseError as error:
        log.warning("denials_lost", count=sum(entry.count for entry in entries), error=type(error).__name__)


denials = DenialLog()
timers.add("audit.denials", _FLUSH_SECONDS, denials.flush)
atexit.register(lambda: denials.flush(all_of_them=True))


def denial_record(*, actor: Actor | None, action: str, target: Target, route: str, code: str) -> None:
    """Put a refusal on the record (`access.denied`, `login.failed`), outside the transaction that it ended.

    `actor` None means that nobody was signed in; then the target or the client's address tells them apart.
    Raises nothing.
    """
    timers.ensure_running()
    context = current_context()
    subject: uuid.UUID | str | None = (actor.uid if actor else target.uid) or context.address
    entry = Entry(
        actor=actor,
        action=action,
        target=target,
        facts={"code": code, "route": route},
        # A copy: the request's own is cleared before the repeats are written.
        context=RequestContext(context.request_id, context.address, context.route),
    )
    denials.add((subject, action, route, code), entry)
