"""Whether the installation is frozen: as each process knows it, and how it is held to that."""

from __future__ import annotations

import dataclasses
import datetime as dt
import time

from django.db import Error

from cloudscribe.lib.caching import TimedRefresh
from cloudscribe.lib.errors import ServiceUnavailable
from security.exceptions import InstallationReadOnly
from security.models import ReadOnly

# What a process has read holds for so many seconds. Every process is asked by the timer thread every two;
# where that is held up, the next write asks for itself. So the freeze needs nobody's good luck: when longer
# than this has passed since its commit nobody lets a write begin.
FRESH = 4.0
# After so long what was let in last has begun its transaction, too.
SETTLED = FRESH + 1.0
# Who works through a queue of small jobs asks no more often: each time would take a tenth of a job.
ASK_AGAIN = 1.0


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """What stood in the database when it was asked, at `read_at` of this process's monotonic clock."""

    since: dt.datetime | None
    reason: str
    read_at: float

    @property
    def is_on(self) -> bool:
        """Whether nothing may be changed."""
        return self.since is not None


def _load() -> Standing:
    # Before the question: the answer may take its time.
    read_at = time.monotonic()
    since, reason = ReadOnly.objects.values_list("since", "reason").first() or (None, "")
    return Standing(since, reason, read_at)


standing: TimedRefresh[Standing] = TimedRefresh("read_only", _load)
# As background work knows it, whose processes have no timers.
_asked: Standing | None = None


def writing_check() -> None:
    """Let a change begin; costs no query while the timers run.

    Raises InstallationReadOnly, and ServiceUnavailable where this process can't know.
    """
    try:
        known = standing.get()
        if time.monotonic() - known.read_at > FRESH:
            standing.refresh()
            known = standing.get()
    except Error as error:
        raise ServiceUnavailable from error
    if known.is_on:
        raise InstallationReadOnly(known.reason)


def is_frozen() -> bool:
    """Whether background work is held, as the database said within the last second.

    What is begun in that second holds a lease, which the freeze waits for.
    """
    global _asked  # noqa: PLW0603 (what this process knows)
    if _asked is None or time.monotonic() - _asked.read_at >= ASK_AGAIN:
        _asked = _load()
    return _asked.is_on
