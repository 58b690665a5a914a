"""How many statements a piece of work sends, how long it waits for them, and which are worth a word.

A statement is named by its fingerprint: the text with whatever could be a value taken out.
"""

from __future__ import annotations

import functools
import hashlib
import re
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import structlog
from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from cloudscribe.lib.context import RequestContext, current_context
from cloudscribe.lib.observability.metrics import DATABASE_SECONDS, SLOW_STATEMENTS

_LONGEST_SHAPE = 500
_VALUES = re.compile(
    r"""
    --[^\n]* | /\*.*?\*/                             # comments
    | \b[eE]'(?:[^'\\]|\\.|'')*'                     # texts with escapes,
    | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$                # in dollars,
    | '(?:[^']|'')*'                                 # and plain
    | (?<![\w$"%])\d+(?:\.\d+)?(?:[eE][+-]?\d+)?\b   # numbers that are no part of a name
    """,
    re.VERBOSE | re.DOTALL,
)
# As many values as there are make one shape.
_LISTS = re.compile(r"\((?:\s*(?:\?|%s)\s*,)+\s*(?:\?|%s)\s*\)")
_SAVEPOINT = re.compile(r"(SAVEPOINT) \S+")

log = structlog.get_logger(__name__)


def count_query(
    execute: Callable[..., Any],
    sql: Any,
    params: Any,
    many: bool,  # noqa: FBT001 (Django's signature)
    context: dict[str, Any],
) -> Any:
    """An execute wrapper that adds one statement to the numbers of the work at hand."""
    started = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        seconds = time.perf_counter() - started
        work = current_context()
        work.queries += 1
        work.query_seconds += seconds
        DATABASE_SECONDS.observe(seconds)
        if seconds >= settings.SLOW_QUERY:
            _tell_slow(sql, seconds, work)
        if work.statements is not None:
            work.statements[str(sql)] += 1


def _tell_slow(sql: Any, seconds: float, work: RequestContext) -> None:
    SLOW_STATEMENTS.inc()
    log.warning("slow_query", route=work.route, duration_ms=round(seconds * 1000, 1), **described(sql))


def begin(work: RequestContext) -> None:
    """Look for statements that repeat within `work`, in debug mode alone."""
    if settings.DEBUG:
        work.statements = Counter()


def end(work: RequestContext) -> None:
    """Warn of each statement that `work` has sent over and over: most often one query a row."""
    for sql, times in (work.statements or Counter()).items():
        if times >= settings.REPEATED_QUERIES:
            log.warning("repeated_query", route=work.route, times=times, **described(sql))


def costs(work: RequestContext) -> dict[str, float]:
    """What `work` has cost so far, as a log line tells it."""
    return {
        "queries": work.queries,
        "queries_ms": round(work.query_seconds * 1000, 1),
        "cache_hits": work.cache_hits,
        "redis_calls": work.redis_calls,
    }


def described(sql: Any) -> dict[str, str]:
    """The fingerprint of a statement (12 hexadecimal digits) and its shape, without any value."""
    shape = shape_of(str(sql))
    return {
        "fingerprint": hashlib.sha256(shape.encode("utf-8", "replace")).hexdigest()[:12],
        "statement": shape[:_LONGEST_SHAPE],
    }


@functools.lru_cache(maxsize=1_000)
def shape_of(sql: str) -> str:
    """The text with `?` for each value in it, lists of them folded, and single spaces."""
    bare = _SAVEPOINT.sub(r"\1 ?", _VALUES.sub(_without_value, sql))
    return _LISTS.sub("(?, …)", " ".join(bare.split()))


def _without_value(found: re.Match[str]) -> str:
    return " " if found[0].startswith(("--", "/*")) else "?"


def watch(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Put the wrapper on a connection, once however often it reconnects."""
    if count_query not in connection.execute_wrappers:
        connection.execute_wrappers.append(count_query)


def install() -> None:
    """Watch every connection from now on; wrapping once costs less than once a request."""
    connection_created.connect(watch, dispatch_uid="cloudscribe.count_queries")
