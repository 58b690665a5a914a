"""The breaker around Redis: after a failure nobody waits for it again until it has shown that it lives."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from cloudscribe.lib.context import current_context
from cloudscribe.lib.observability.metrics import REDIS_FAILURES

T = TypeVar("T")

_RETRY_SECONDS = 1.0
_FAILURES = (RedisError, ConnectionInterrupted, OSError)


class Breaker:
    """Open after one time-out or lost connection; once a second one caller may try, and success closes it.

    One per process, safe among threads. Its clock is the monotonic one.
    """

    def __init__(
        self, retry_seconds: float = _RETRY_SECONDS, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._retry_seconds = retry_seconds
        self._clock = clock
        self._lock = threading.Lock()
        self._retry_at: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether calls are refused at present."""
        return self._retry_at is not None

    def allows(self) -> bool:
        """Whether this caller may try; while open only the first one of each second may."""
        if self._retry_at is None:
            return True
        with self._lock:
            if self._retry_at is None:
                return True
            if self._clock() < self._retry_at:
                return False
            self._retry_at = self._clock() + self._retry_seconds
            return True

    def succeeded(self) -> None:
        """The call was answered."""
        self._retry_at = None

    def failed(self) -> None:
        """The call was not answered."""
        with self._lock:
            self._retry_at = self._clock() + self._retry_seconds


redis_breaker = Breaker()


def redis_call(call: Callable[[], T], default: T, *, breaker: Breaker | None = None) -> T:
    """What `call` gets from Redis, `default` where Redis can't be reached or refuses.

    The round trip counts into the request's numbers; a failure into the metrics.
    """
    guard = breaker or redis_breaker
    if not guard.allows():
        REDIS_FAILURES.labels(reason="open").inc()
        return default
    current_context().redis_calls += 1
    try:
        answer = call()
    except _FAILURES as error:
        lost = _is_lost(error)
        REDIS_FAILURES.labels(reason="lost" if lost else "refused").inc()
        if lost:
            guard.failed()
        else:
            guard.succeeded()
        return default
    guard.succeeded()
    return answer


def _is_lost(error: BaseException) -> bool:
    """Whether nobody answered, in contrast to an answer that says no (out of memory, read-only)."""
    cause = error.__cause__ or error
    return isinstance(cause, RedisConnectionError | RedisTimeoutError | OSError)
