"""Django's sessions of the admin: rows in PostgreSQL with Redis in front, which may be gone or hang."""

from __future__ import annotations

from typing import Any

from django.contrib.sessions.backends.cached_db import SessionStore as CachedStore

from cloudscribe.lib.breaker import redis_call


class _Guarded:
    """The cache behind the breaker: what it can't answer is asked of the database."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    def __contains__(self, key: str) -> bool:
        return redis_call(lambda: key in self._cache, default=False)

    def get(self, key: str, default: Any = None) -> Any:
        return redis_call(lambda: self._cache.get(key, default), default)

    def set(self, key: str, value: Any, timeout: float | None = None) -> None:
        redis_call(lambda: self._cache.set(key, value, timeout), None)

    def delete(self, key: str) -> None:
        redis_call(lambda: self._cache.delete(key), None)


class SessionStore(CachedStore):
    """Django's `cached_db` store; a stale answer of Redis opens nothing: our own session is asked, too."""

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._cache = _Guarded(self._cache)  # type: ignore[has-type]
