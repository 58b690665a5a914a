"""The cache under django-ratelimit: it counts in one round trip what the library asks in two."""

from __future__ import annotations

from typing import Any

from django_redis.cache import RedisCache


class CountingCache(RedisCache):  # type: ignore[misc]
    """django-redis, whose `add` also counts and whose `incr` then tells the count.

    The library calls `add`, and where the period's counter was there already, `incr`. Both go out together
    here: a caller who is counted twice (by token and by user) costs as much as one was before. Django keeps
    an instance a thread, so what one call remembers is the next one's.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._counted: tuple[str, int] | None = None

    def add(self, key: str, value: int, timeout: int | None = None, version: int | None = None) -> bool:
        """Count `value` more; whether it is the first of its period. Raises RedisError."""
        made = self.client.make_key(key, version=version)
        pipeline = self.client.get_client(write=True).pipeline(transaction=False)
        pipeline.set(made, 0, ex=timeout, nx=True)
        pipeline.incrby(made, value)
        count = int(pipeline.execute()[-1])
        self._counted = (key, count)
        return count == value

    def incr(self, key: str, delta: int = 1, version: int | None = None, **options: Any) -> int:
        """The count of the `add` just before, which this call completes."""
        counted, self._counted = self._counted, None
        if counted and counted[0] == key:
            return counted[1]
        return int(super().incr(key, delta, version=version, **options))
