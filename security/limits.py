"""The limits as this process knows them, and what counts while Redis is away."""

from __future__ import annotations

import dataclasses
import threading
import time

from cachetools import LRUCache

from cloudscribe.lib.caching import TimedRefresh
from security.models import RateLimitPolicy

_CALLERS_REMEMBERED = 10_000


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    """So many requests in so many seconds."""

    requests: int
    seconds: int


@dataclasses.dataclass(frozen=True, slots=True)
class Usage:
    """Where a caller stands in the period at hand."""

    limit: Limit
    used: int
    resets_in: int

    @property
    def exceeded(self) -> bool:
        """Whether this request was one too many."""
        return self.used > self.limit.requests

    @property
    def starts(self) -> bool:
        """Whether this request was the first one too many of its period."""
        return self.used == self.limit.requests + 1

    @property
    def remaining(self) -> int:
        """What is left of the period's requests."""
        return max(0, self.limit.requests - self.used)


def _load() -> dict[tuple[str, str], Limit]:
    rows = RateLimitPolicy.objects.filter(enabled=True).values_list("scope", "key", "requests", "seconds")
    return {(scope, key): Limit(requests, seconds) for scope, key, requests, seconds in rows}


policies: TimedRefresh[dict[tuple[str, str], Limit]] = TimedRefresh("rate_limit_policies", _load)


class ProcessBuckets:
    """Counters of this process alone, in fixed windows: what stands in while Redis can't be asked."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: LRUCache[tuple[str, int], int] = LRUCache(maxsize=_CALLERS_REMEMBERED)

    def count(self, caller: str, limit: Limit) -> Usage:
        """Count one request of `caller`."""
        now = int(time.time())
        window = now - now % limit.seconds
        with self._lock:
            used = self._counts.get((caller, window), 0) + 1
            self._counts[caller, window] = used
        return Usage(limit, used, window + limit.seconds - now)
