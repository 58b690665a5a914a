"""The four ways to keep an answer, each for the case where it pays; PostgreSQL stays the only record.

Redis may be gone, hang, or answer with old values or with garbage: then these compute, and no answer is
wrong. What stands in Redis is JSON (the cache's serializer), so that whoever writes there can't make code
run here.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Generic, TypeVar

from cachetools import TTLCache
from django.conf import settings
from django.core.cache import caches

from cloudscribe.lib.breaker import redis_call
from cloudscribe.lib.context import current_context
from cloudscribe.lib.errors import ServiceUnavailable
from cloudscribe.lib.observability.metrics import CACHE_LOOKUPS, WRITE_BEHIND_LOST
from cloudscribe.lib.timers import timers

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")
V = TypeVar("V")

Check = Callable[[Any], V]
_MISSING: Any = object()
# What stands under the claim of a key: that somebody builds, or that it can't be built for a while.
_BUILDING, _REFUSED = 1, 2


def jittered(seconds: float) -> float:
    """A lifetime up to a fifth shorter, so that entries made together don't end together."""
    return seconds * random.uniform(0.8, 1.0)  # noqa: S311 (spread, not a secret)


def _count(cache: str, outcome: str) -> None:
    CACHE_LOOKUPS.labels(cache=cache, outcome=outcome).inc()
    if outcome != "miss":
        current_context().cache_hits += 1


def _checked(stored: Any, check: Check[V]) -> V:
    """The stored JSON as a value, `_MISSING` for garbage: `check` raises on what it can't have written."""
    missing: V = _MISSING
    if stored is None:
        return missing
    try:
        return check(stored)
    except (ValueError, TypeError, KeyError, AttributeError, IndexError):
        return missing


class _Remote(Generic[V]):
    """The part of a cache that lies in Redis, behind the breaker."""

    def __init__(self, name: str, lifetime: float, dump: Callable[[V], Any], check: Check[V]) -> None:
        self._name = name
        self._lifetime = lifetime
        self._dump = dump
        self._check = check

    def key(self, key: Hashable) -> str:
        parts = key if isinstance(key, tuple) else (key,)
        return ":".join([self._name, *map(str, parts)])

    def get(self, key: Hashable) -> V:
        return _checked(redis_call(lambda: self._read(self.key(key)), None), self._check)

    def _read(self, name: str) -> Any:
        try:
            return caches["default"].get(name)
        except ValueError:  # no JSON
            return None

    def get_many(self, keys: Sequence[Hashable]) -> list[V]:
        names = [self.key(key) for key in keys]
        nothing: dict[str, Any] = {}
        found = redis_call(lambda: self._read_many(names), nothing)
        return [_checked(found.get(name), self._check) for name in names]

    def _read_many(self, names: Sequence[str]) -> dict[str, Any]:
        try:
            return dict(caches["default"].get_many(names))
        except ValueError:  # no JSON
            return {}

    def put(self, key: Hashable, value: V) -> None:
        stored, lifetime = self._dump(value), max(1, int(jittered(self._lifetime)))
        redis_call(lambda: caches["default"].set(self.key(key), stored, lifetime), None)

    def claim(self, key: Hashable, seconds: int) -> bool:
        """Whether this process may build; also where Redis can't say."""
        return redis_call(
            lambda: bool(caches["default"].add(self._claim_key(key), _BUILDING, seconds)), default=True
        )

    def release(self, key: Hashable) -> None:
        redis_call(lambda: caches["default"].delete(self._claim_key(key)), None)

    def refuse(self, key: Hashable, seconds: int) -> None:
        """Nobody builds for so long, here or elsewhere."""
        redis_call(lambda: caches["default"].set(self._claim_key(key), _REFUSED, seconds), None)

    def is_refused(self, key: Hashable) -> bool:
        return redis_call(lambda: bool(self._read(self._claim_key(key)) == _REFUSED), default=False)

    def _claim_key(self, key: Hashable) -> str:
        return f"{self.key(key)}:building"


class _Flight(Generic[V]):
    """One who builds, and what came of it for those who wait: a value, or why there is none."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.value: V = _MISSING
        self.error: ServiceUnavailable | None = None


class _Flights(Generic[V]):
    """One builder per key inside a process; the others wait for what it brings."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[Hashable, _Flight[V]] = {}

    def joined(self, key: Hashable, build: Callable[[], V], patience: float) -> tuple[V, bool]:
        """What the one brings who builds at this moment, else built; and whether it was waited for.

        Where that one finds it unavailable, so do all who wait. After any other error the next of them
        builds, and each after twice `patience`, beside whoever is stuck: that one may have waited, too.
        """
        while True:
            with self._lock:
                flight = self._running.get(key)
                leads = flight is None
                flight = self._running[key] = flight or _Flight()
            if leads:
                return self._flown(key, flight, build), False
            if not flight.done.wait(2 * patience):
                return build(), False
            if flight.error is not None:
                raise flight.error
            if flight.value is not _MISSING:
                return flight.value, True

    def _flown(self, key: Hashable, flight: _Flight[V], build: Callable[[], V]) -> V:
        try:
            flight.value = build()
        except ServiceUnavailable as error:
            flight.error = error
            raise
        finally:
            with self._lock:
                del self._running[key]
            flight.done.set()
        return flight.value


class CacheAside(Generic[V]):
    """Look in Redis, else build once for all who wait, here and in other processes, and put it there.

    For what a key determines wholly (a content's hash, a version), so that nothing ever needs to be dropped.
    `check` makes a value of stored JSON and raises on garbage. A `failure` of building took long and is not
    met anew by each who asks: for as long as its Retry-After says it is the answer to all, and nobody builds.
    """

    def __init__(
        self,
        name: str,
        *,
        lifetime: float,
        check: Check[V],
        dump: Callable[[V], Any] = lambda value: value,
        patience: float = 2.0,
        failure: type[ServiceUnavailable] | None = None,
    ) -> None:
        self._name = name
        self._remote = _Remote[V](name, lifetime, dump, check)
        self._flights = _Flights[V]()
        self._patience = patience
        self._failure = failure

    def get(self, key: Hashable, build: Callable[[], V], *, patience: float | None = None) -> V:
        """The value under `key`, built by `build` where it isn't there; what `build` raises is raised.

        Who builds is waited for so many seconds.
        """
        value = self._remote.get(key)
        if value is not _MISSING:
            _count(self._name, "hit")
            return value
        seconds = patience or self._patience
        value, waited = self._flights.joined(key, lambda: self._made(key, build, seconds), seconds)
        if waited:
            _count(self._name, "waited")
        return value

    def put(self, key: Hashable, value: V) -> None:
        """Put there what says more than the value that may stand there."""
        self._remote.put(key, value)

    def nearest(self, keys: Sequence[Hashable]) -> V | None:
        """The value under the first of these keys that has one, asked for in one round trip."""
        for value in self._remote.get_many(keys):
            if value is not _MISSING:
                return value
        return None

    def _made(self, key: Hashable, build: Callable[[], V], patience: float) -> V:
        value = self._wait_for_others(key, patience)
        if value is not _MISSING:
            _count(self._name, "waited")
            return value
        _count(self._name, "miss")
        return self._build(key, build)

    def _wait_for_others(self, key: Hashable, patience: float) -> V:
        """What another process has put there meanwhile; gives up when that takes too long."""
        ends = time.monotonic() + patience
        while True:
            value = self._remote.get(key)
            if value is not _MISSING:
                return value
            if self._remote.claim(key, int(patience) + 3):
                return self._built_before_the_claim(key)
            if self._failure and self._remote.is_refused(key):
                raise self._failure
            if time.monotonic() > ends:
                return value
            time.sleep(0.05)

    def _built_before_the_claim(self, key: Hashable) -> V:
        """What somebody else has finished since the last look; the claim is given back then."""
        value = self._remote.get(key)
        if value is not _MISSING:
            self._remote.release(key)
        return value

    def _build(self, key: Hashable, build: Callable[[], V]) -> V:
        refused = 0
        try:
            value = build()
            self._remote.put(key, value)
        except ServiceUnavailable as error:
            if self._failure and isinstance(error, self._failure):
                refused = int(error.headers["Retry-After"])
            raise
        finally:
            if refused:
                self._remote.refuse(key, refused)
            else:
                self._remote.release(key)
        return value


class StampedCache(Generic[V]):
    """Values under keys that hold the stamps of all they depend on: this process, Redis, the loader.

    A changed right changes the stamps, so old entries are never asked for again; they age out.
    """

    def __init__(
        self,
        name: str,
        *,
        lifetime: float,
        size: int,
        dump: Callable[[V], Any],
        check: Check[V],
    ) -> None:
        self._name = name
        self._remote = _Remote[V](name, lifetime, dump, check)
        self._local: TTLCache[Hashable, V] = TTLCache(maxsize=size, ttl=lifetime)
        self._lock = threading.Lock()

    def get(self, key: tuple[Hashable, ...], load: Callable[[], V]) -> V:
        """The value under `key`, from the nearest place that has it."""
        with self._lock:
            value: V = self._local.get(key, _MISSING)
        if value is not _MISSING:
            _count(self._name, "local")
            return value
        value = self._remote.get(key)
        if value is _MISSING:
            _count(self._name, "miss")
            value = load()
            self._remote.put(key, value)
        else:
            _count(self._name, "hit")
        with self._lock:
            self._local[key] = value
        return value

    def clear_local(self) -> None:
        """Forget what this process holds."""
        with self._lock:
            self._local.clear()


class TimedRefresh(Generic[T]):
    """A small whole that every request asks (rules, policies), loaded anew by the timer thread.

    While the database can't be asked the last known value stands. Only a process that has never loaded
    it waits, and for no longer than `patience`.
    """

    def __init__(
        self, name: str, load: Callable[[], T], *, every: float = 2.0, patience: float = 3.0
    ) -> None:
        self._load = load
        self._every = every
        self._patience = patience
        self._value: T = _MISSING
        self._loaded_at = 0.0
        self._first = threading.Event()
        timers.add(name, every, self.refresh)

    def get(self) -> T:
        """The value as of the last turn; raises ServiceUnavailable where there has never been one."""
        if not getattr(settings, "TIMERS", True):
            return self._get_inline()
        timers.ensure_running()
        if self._value is _MISSING and not self._first.wait(self._patience):
            raise ServiceUnavailable
        return self._value

    def _get_inline(self) -> T:
        if self._value is _MISSING or time.monotonic() - self._loaded_at > self._every:
            self.refresh()
        return self._value

    def refresh(self) -> None:
        """Load now; what the loader raises is raised and the old value stands."""
        self._value = self._load()
        self._loaded_at = time.monotonic()
        self._first.set()

    def forget(self) -> None:
        """Load at the next use; for tests and for a process that has just changed the rows itself."""
        self._value = _MISSING
        self._first.clear()


class WriteBehind(Generic[K, V]):
    """Small facts that may be written a moment later, merged by key: last-used times, counters of views.

    What is lost with a killed process is at most `every` seconds of them; a full buffer drops new keys
    and counts them. `write` gets the merged entries and runs in the timer thread.
    """

    def __init__(
        self,
        name: str,
        write: Callable[[dict[K, V]], None],
        *,
        merge: Callable[[V, V], V] = lambda _, new: new,
        every: float = 10.0,
        limit: int = 10_000,
    ) -> None:
        self._name = name
        self._write = write
        self._merge = merge
        self._limit = limit
        self._lock = threading.Lock()
        self._entries: dict[K, V] = {}
        timers.add(name, every, self.flush, last_words=True)

    def add(self, key: K, value: V) -> None:
        """Note one fact."""
        timers.ensure_running()
        with self._lock:
            if key in self._entries:
                self._entries[key] = self._merge(self._entries[key], value)
            elif len(self._entries) < self._limit:
                self._entries[key] = value
            else:
                WRITE_BEHIND_LOST.labels(buffer=self._name).inc()

    def flush(self) -> None:
        """Write what is there; where that fails it is put back and the error raised."""
        with self._lock:
            entries, self._entries = self._entries, {}
        if not entries:
            return
        try:
            self._write(entries)
        except Exception:
            with self._lock:
                for key, value in entries.items():
                    newer = self._entries.get(key, _MISSING)
                    self._entries[key] = value if newer is _MISSING else self._merge(value, newer)
            raise
