"""How long one process goes on with one job after the other, and whether it still may.

To fork a process and to give it its connections costs ten times what a small job does. One that does several
must end before a leak or what a library keeps grows large, and as soon as anything has gone wrong in it.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from contextvars import ContextVar

from django.conf import settings
from django.db import connection
from psycopg.pq import TransactionStatus

# The allocator keeps what one large job took.
_MOST_GROWTH = 64 * 1024 * 1024
_PEAK_UNIT = 1 if sys.platform == "darwin" else 1024


class Shift:
    """The working life of one process: a number of jobs, a time, the memory that it may come to hold."""

    def __init__(self, *, dismissed: Callable[[], bool]) -> None:
        """It begins now. `dismissed` tells whether the worker was told to stop or is gone."""
        self._dismissed = dismissed
        self._ends_at = time.monotonic() + settings.JOB_PROCESS_SECONDS
        self._jobs_left = settings.JOBS_A_PROCESS
        self._most_memory = _peak() + _MOST_GROWTH

    def goes_on(self) -> bool:
        """Whether another job may begin after one that was done; asked once for each."""
        self._jobs_left -= 1
        return (
            self._jobs_left > 0
            and time.monotonic() < self._ends_at
            and _peak() < self._most_memory
            and not self._dismissed()
        )


# What `job_run`, which RQ calls by name, works within; without one it does the bell's job alone.
_shift: ContextVar[Shift | None] = ContextVar("cloudscribe_shift", default=None)


def shift_begin(shift: Shift) -> None:
    """Let this process go on with further jobs after the first."""
    _shift.set(shift)


def shift_goes_on() -> bool:
    """Whether this process may begin another job."""
    shift = _shift.get()
    return shift is not None and shift.goes_on()


def connection_is_whole() -> bool:
    """Whether the next job finds the connection as a new one would be: open, outside any transaction."""
    if connection.connection is None or connection.in_atomic_block or not connection.get_autocommit():
        return False
    status = connection.connection.info.transaction_status
    return bool(status == TransactionStatus.IDLE and connection.is_usable())


def _peak() -> int:
    """The most memory that this process has held so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _PEAK_UNIT
