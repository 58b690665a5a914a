"""The breaker around Redis."""

from __future__ import annotations

import threading

import pytest
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError
from redis.exceptions import TimeoutError as RedisTimeoutError

from cloudscribe.lib.breaker import Breaker, redis_call
from cloudscribe.lib.context import RequestContext, request_context


class Clock:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """The time."""
        return self.now


class Redis:
    """Calls that fail with what the test says."""

    def __init__(self) -> None:
        self.calls = 0
        self.error: Exception | None = None

    def __call__(self) -> str:
        """The answer."""
        self.calls += 1
        if self.error:
            raise self.error
        return "answer"


def _interrupted(cause: Exception) -> ConnectionInterrupted:
    error = ConnectionInterrupted(connection=None)
    error.__cause__ = cause
    return error


@pytest.mark.parametrize(
    "error",
    [RedisTimeoutError(), RedisConnectionError(), OSError(), _interrupted(RedisTimeoutError())],
)
def test_redis_call_is_not_tried_again_for_a_second_after_the_first_failure(error: Exception) -> None:
    """One request waits for a dead Redis; those after it don't."""
    clock, redis = Clock(), Redis()
    breaker = Breaker(clock=clock)
    redis.error = error
    assert redis_call(redis, "default", breaker=breaker) == "default"
    assert breaker.is_open
    assert redis_call(redis, "default", breaker=breaker) == "default"
    clock.now += 0.99
    assert redis_call(redis, "default", breaker=breaker) == "default"
    assert redis.calls == 1


def test_redis_call_tries_once_a_second_and_closes_on_success() -> None:
    """A Redis that came back is used again within a second."""
    clock, redis = Clock(), Redis()
    breaker = Breaker(clock=clock)
    redis.error = RedisConnectionError()
    redis_call(redis, None, breaker=breaker)
    clock.now += 1.01
    redis_call(redis, None, breaker=breaker)
    redis_call(redis, None, breaker=breaker)
    assert redis.calls == 2
    clock.now += 1.01
    redis.error = None
    assert redis_call(redis, None, breaker=breaker) == "answer"
    assert not breaker.is_open
    assert redis_call(redis, None, breaker=breaker) == "answer"
    assert redis.calls == 4


def test_redis_call_that_is_refused_leaves_the_breaker_closed() -> None:
    """Out of memory or read-only is an answer: the next call may be another one."""
    redis, breaker = Redis(), Breaker()
    redis.error = _interrupted(ResponseError("OOM"))
    assert redis_call(redis, "default", breaker=breaker) == "default"
    assert not breaker.is_open


def test_redis_call_lets_other_errors_through() -> None:
    """A fault in our own code is not an outage."""
    redis, breaker = Redis(), Breaker()
    redis.error = KeyError("ours")
    with pytest.raises(KeyError):
        redis_call(redis, "default", breaker=breaker)


def test_allows_one_of_many_threads_when_half_open() -> None:
    """Eight threads at a hung Redis: one tries, seven go on without it."""
    clock = Clock()
    breaker = Breaker(clock=clock)
    breaker.failed()
    clock.now += 1.5
    barrier, allowed = threading.Barrier(8), []

    def ask() -> None:
        barrier.wait()
        allowed.append(breaker.allows())

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(allowed) == [False] * 7 + [True]


def test_redis_call_counts_round_trips_of_the_request() -> None:
    """Calls that were not made don't count."""
    redis, breaker = Redis(), Breaker()
    with request_context(RequestContext("r" * 8)) as work:
        redis_call(redis, None, breaker=breaker)
        breaker.failed()
        redis_call(redis, None, breaker=breaker)
    assert work.redis_calls == 1
