"""A world that many tests look at: made once, in a transaction that is never committed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.core.cache import cache
from django.db import connection, transaction
from pytest_django import DjangoDbBlocker

from documents import caching


@contextmanager
def transaction_of_many_tests(blocker: DjangoDbBlocker) -> Iterator[None]:
    """What is done in the block stays until its end, over the tests that a fixture spans."""
    with blocker.unblock(), transaction.atomic(), connection.cursor() as cursor:
        # From one test to the next it may take longer than a web process may leave a transaction idle.
        cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        yield
        transaction.set_rollback(True)


@contextmanager
def undone() -> Iterator[None]:
    """What is done in the block is undone at its end, caches included."""
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        forget()


def forget() -> None:
    """Drop what was cached of rows that are rolled back.

    The stamps go back with the transaction, what is cached under them does not.
    """
    caching._access_maps.clear_local()
    caching._shares.clear_local()
    caching._vain_walks.clear()
    cache.clear()
