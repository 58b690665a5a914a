"""Django's sessions of the admin: rows in PostgreSQL with Redis in front, which may be gone or hang."""

from __future__ import annotations

import hashlib
from typing import Any

from django.contrib.sessions.backends.cached_db import SessionStore as CachedStore
from django.contrib.sessions.base_session import AbstractBaseSession
from django.utils import timezone

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
    """Django's `cached_db` store; a stale answer of Redis opens nothing: our own session is asked, too.

    Django keeps a session under the cookie's own value, so that a copy of the table opens the admin. Here
    table and cache know a hash of it.
    """

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key)
        self._cache = _Guarded(self._cache)  # type: ignore[has-type]

    @property
    def cache_key(self) -> str:
        """Where Redis has it."""
        key = self._get_or_create_session_key()  # type: ignore[attr-defined]
        return str(self.cache_key_prefix) + _kept_under(key)

    def exists(self, session_key: str) -> bool:
        """Whether a cookie's value is taken."""
        return bool(super().exists(_kept_under(session_key)))

    def delete(self, session_key: str | None = None) -> None:
        """Forget the session of a cookie's value, by default this one."""
        key = session_key or self.session_key
        if key is not None:
            super().delete(_kept_under(key))

    def create_model_instance(self, data: dict[str, Any]) -> AbstractBaseSession:
        """The row to be saved."""
        row: AbstractBaseSession = super().create_model_instance(data)
        row.session_key = _kept_under(row.session_key)
        return row

    def _get_session_from_db(self) -> AbstractBaseSession | None:
        key = _kept_under(self.session_key or "")
        found: AbstractBaseSession | None = self.model.objects.filter(
            session_key=key, expire_date__gt=timezone.now()
        ).first()
        if found is None:
            self._session_key = None
        return found


def _kept_under(session_key: str) -> str:
    # 160 of its bits: the column holds forty letters. The key itself has as many, all of them random.
    return hashlib.sha256(session_key.encode()).hexdigest()[:40]
