"""How many statements a piece of work sends, and for how long it waits for them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from cloudscribe.lib.context import current_context


def count_query(
    execute: Callable[..., Any],
    sql: str,
    params: Any,
    many: bool,  # noqa: FBT001 (Django's signature)
    context: dict[str, Any],
) -> Any:
    """An execute wrapper that adds one statement to the numbers of the work at hand."""
    started = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        work = current_context()
        work.queries += 1
        work.query_seconds += time.perf_counter() - started


def watch(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Put the wrapper on a connection, once however often it reconnects."""
    if count_query not in connection.execute_wrappers:
        connection.execute_wrappers.append(count_query)


def install() -> None:
    """Watch every connection from now on; wrapping once costs less than once a request."""
    connection_created.connect(watch, dispatch_uid="cloudscribe.count_queries")
