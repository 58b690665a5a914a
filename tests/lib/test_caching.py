"""The cache strategies over a real Redis, and without it."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from django.core.cache import caches
from django_redis import get_redis_connection

from cloudscribe.lib import breaker
from cloudscribe.lib.caching import CacheAside, StampedCache
from cloudscribe.lib.context import RequestContext, request_context
from cloudscribe.lib.errors import ServiceUnavailable

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _closed_breaker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outages of one test are not the next one's."""
    monkeypatch.setattr(breaker, "redis_breaker", breaker.Breaker())


class Builder:
    """A loader that counts its calls."""

    def __init__(self, value: Any = "built", seconds: float = 0.0) -> None:
        self.calls = 0
        self._value = value
        self._seconds = seconds

    def __call__(self) -> Any:
        """The value, after a while."""
        self.calls += 1
        time.sleep(self._seconds)
        return self._value


def _text(stored: Any) -> str:
    if not isinstance(stored, str):
        raise TypeError("no text")
    return stored


class Slow(ServiceUnavailable):
    """Building takes too long."""

    def __init__(self) -> None:
        super().__init__("Too slow.", retry_after=2)


class Failing(Builder):
    """A loader that raises after a while."""

    def __init__(self, error: Exception, seconds: float = 0.0) -> None:
        super().__init__(seconds=seconds)
        self._error = error

    def __call__(self) -> Any:
        """Nothing."""
        super().__call__()
        raise self._error


def _aside() -> CacheAside[str]:
    return CacheAside("html", lifetime=60, check=_text, failure=Slow)


def _stamped() -> StampedCache[dict[str, int]]:
    return StampedCache("maps", lifetime=60, size=10, dump=lambda one: list(one.items()), check=dict)


def test_cache_aside_builds_once() -> None:
    """The second look finds it, also from another process's cache object."""
    build = Builder()
    assert _aside().get(("sha", 1), build) == "built"
    assert _aside().get(("sha", 1), build) == "built"
    assert build.calls == 1


def test_cache_aside_builds_once_for_all_who_wait() -> None:
    """Twelve threads of three processes' worth of caches want one page: one renders it."""
    build, results = Builder(seconds=0.3), []
    asides = [_aside() for _ in range(3)]
    threads = [
        threading.Thread(target=lambda n=n: results.append(asides[n % 3].get("sha", build)))
        for n in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert results == ["built"] * 12
    assert build.calls == 1


def test_cache_aside_takes_what_was_built_before_its_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another process finishes between this one's look and its claim; and the claim is given back."""
    aside, build = _aside(), Builder("in vain")
    claim = aside._remote.claim

    def overtaken(key: Any, seconds: int) -> bool:
        assert _aside().get(key, Builder("by another")) == "by another"
        return claim(key, seconds)

    monkeypatch.setattr(aside._remote, "claim", overtaken)
    assert aside.get("sha", build) == "by another"
    assert build.calls == 0
    assert _aside()._remote.claim("sha", 5)


def test_cache_aside_when_building_fails() -> None:
    """The error reaches the caller, nothing is kept, and the next one builds at once."""

    def fail() -> str:
        raise RuntimeError("broken")

    started = time.monotonic()
    with pytest.raises(RuntimeError):
        _aside().get("sha", fail)
    assert _aside().get("sha", Builder()) == "built"
    assert time.monotonic() - started < 1


def test_cache_aside_is_unavailable_once_for_all_who_wait() -> None:
    """Eight threads of one process get the one refusal, and it is none of whoever asks later."""
    aside, errors = _aside(), []
    build = Failing(ServiceUnavailable("Full."), seconds=0.2)

    def ask() -> None:
        with pytest.raises(ServiceUnavailable) as found:
            aside.get("sha", build)
        errors.append(found.value)

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert (len(errors), build.calls) == (8, 1)
    assert aside.get("sha", Builder()) == "built"


def test_cache_aside_remembers_a_failure_that_took_long() -> None:
    """For all processes, until its time is over; then it is tried again."""
    build = Failing(Slow())
    for _ in range(3):
        with pytest.raises(Slow) as found:
            _aside().get("sha", build)
        assert found.value.headers["Retry-After"] == "2"
    assert build.calls == 1
    key = caches["default"].make_key("html:sha:building")
    assert 1_000 < get_redis_connection("default").pttl(key) <= 2_000
    caches["default"].delete("html:sha:building")
    assert _aside().get("sha", Builder()) == "built"


def test_cache_aside_when_another_process_died_building() -> None:
    """A claim that nobody redeems costs the patience and no more."""
    aside = CacheAside[str]("html", lifetime=60, check=_text, patience=0.2)
    caches["default"].set("html:sha:building", 1, 60)
    started = time.monotonic()
    assert aside.get("sha", Builder()) == "built"
    assert time.monotonic() - started < 1


@pytest.mark.parametrize("garbage", [b"no json", b"[1, 2]", b'{"a": 1}', b"\xff\xfe", b"null"])
def test_cache_aside_with_garbage_in_redis(garbage: bytes) -> None:
    """What can't have been written by us counts as absent."""
    get_redis_connection("default").set(caches["default"].make_key("html:sha"), garbage)
    assert _aside().get("sha", Builder()) == "built"


def test_cache_aside_without_redis(redis_gone: None) -> None:
    """It computes, and after the first call nobody waits for Redis."""
    build = Builder()
    started = time.monotonic()
    for _ in range(50):
        assert _aside().get("sha", build) == "built"
    assert time.monotonic() - started < 1.5
    assert build.calls == 50


def test_cache_aside_with_redis_hung(redis_hung: None) -> None:
    """At most half a second more on one request, then the breaker."""
    started = time.monotonic()
    assert _aside().get("sha", Builder()) == "built"
    assert time.monotonic() - started < 0.6
    started = time.monotonic()
    assert _aside().get("sha", Builder()) == "built"
    assert time.monotonic() - started < 0.1


def test_stamped_cache_asks_the_process_then_redis_then_the_loader() -> None:
    """A warm key costs no round trip; a new process takes the map from Redis."""
    load, own, other = Builder({"a": 1}), _stamped(), _stamped()
    key = (7, 5, 1)
    assert own.get(key, load) == {"a": 1}
    with request_context(RequestContext("r" * 8)) as work:
        assert own.get(key, load) == {"a": 1}
    assert (work.redis_calls, work.cache_hits) == (0, 1)
    assert other.get(key, load) == {"a": 1}
    assert load.calls == 1


def test_stamped_cache_never_gives_the_value_of_other_stamps() -> None:
    """Stamps are parts of the key, never added up: 5 and 1 are not 6 and 0."""
    cache = _stamped()
    cache.get((7, 5, 1), Builder({"old": 1}))
    assert cache.get((7, 6, 0), Builder({"new": 1})) == {"new": 1}
    assert cache.get((7, 6, 1), Builder({"newer": 1})) == {"newer": 1}


@pytest.mark.parametrize("garbage", [b"no json", b"5", b'[["a"]]', b"null"])
def test_stamped_cache_with_garbage_in_redis(garbage: bytes) -> None:
    """The loader answers."""
    get_redis_connection("default").set(caches["default"].make_key("maps:7:5"), garbage)
    assert _stamped().get((7, 5), Builder({"a": 1})) == {"a": 1}


def test_stamped_cache_without_redis(redis_gone: None) -> None:
    """The process's own memory still serves."""
    load, cache = Builder({"a": 1}), _stamped()
    for _ in range(20):
        assert cache.get((7, 5), load) == {"a": 1}
    assert load.calls == 1


def test_stamped_cache_is_bounded() -> None:
    """Only so many keys are kept in a process."""
    cache = _stamped()
    for number in range(50):
        cache.get((number,), Builder({"n": number}))
    assert len(cache._local) == 10
