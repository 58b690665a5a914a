"""A database is prepared by one process at a time, however many are started at once."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from cloudscribe.lib.postgresql.locks import advisory_lock

_LOCK = "cloudscribe.prepare"
_PAUSE_SECONDS = 0.5


@contextmanager
def prepared_alone(tell: Callable[[str], object]) -> Iterator[None]:
    """Wait while another process migrates or bootstraps this database, and have others wait for this one.

    `tell` is told of the wait once. It asks again and again: who waits inside the server would hold a
    snapshot, and an index that is built concurrently waits for every older snapshot.
    """
    for attempt in itertools.count():
        with advisory_lock(_LOCK) as held:
            if held:
                yield
                return
        if not attempt:
            tell("Another process prepares this database; this one waits for it.")
        time.sleep(_PAUSE_SECONDS)
