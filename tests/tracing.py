"""Where coverage's tracer looks away: in other people's code that calls none of ours.

Up to Python 3.13 a traced thread stops at every instruction, whosever it is: two thirds of what coverage
costs is spent in Django, psycopg and redis, of which nothing is recorded. So the calls below run without the
tracer, and so does what is executed at the import of a module that isn't ours, and pytest between tests and
fixtures. Where nothing traces, nothing happens.

Whoever switches a tracer off switches it on in the same frame: it counts the calls that it sees.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from importlib.machinery import SourceFileLoader
from typing import Any

import coverage
import jwt
import psycopg
import pytest
import redis.client
from _pytest import fixtures, python
from _pytest.assertion import rewrite
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.models import Model, QuerySet
from django.db.models.sql import compiler
from django.db.models.sql.query import Query
from django.urls import URLResolver

OURS = {"accounts", "audit", "cloudscribe", "documents", "security"}
# None of our classes writes SQL, takes part in building a query or encodes for Redis.
LEAVES: tuple[tuple[Any, str], ...] = (
    (Query, "add_q"),
    (compiler.SQLAggregateCompiler, "as_sql"),
    (compiler.SQLCompiler, "as_sql"),
    (compiler.SQLDeleteCompiler, "as_sql"),
    (compiler.SQLInsertCompiler, "as_sql"),
    (compiler.SQLUpdateCompiler, "as_sql"),
    (BaseDatabaseWrapper, "cursor"),
    (Model, "__init__"),
    (QuerySet, "_chain"),
    (URLResolver, "resolve"),
    (jwt, "decode"),
    (psycopg.Connection, "wait"),
    (redis.client.Pipeline, "execute"),
    (redis.client.Redis, "execute_command"),
)
# What pytest runs of a test: its module, it, its fixtures, and what ends them.
OF_A_TEST: tuple[tuple[Any, str], ...] = (
    (rewrite.AssertionRewritingHook, "exec_module"),
    (fixtures, "_teardown_yield_fixture"),
    (fixtures, "call_fixture_func"),
    (python.Function, "runtest"),
)


class _Paused(threading.local):
    """The tracer that a thread has laid aside."""

    tracer: Any = None


_paused = _Paused()


def _untraced(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        tracer = sys.gettrace()
        if tracer is None:
            return function(*arguments, **named)
        sys.settrace(None)
        _paused.tracer = tracer
        try:
            return function(*arguments, **named)
        finally:
            _paused.tracer = None
            sys.settrace(tracer)

    return call


def _traced(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*arguments: Any, **named: Any) -> Any:
        tracer = _paused.tracer
        if tracer is None or sys.gettrace() is not None:
            return function(*arguments, **named)
        _paused.tracer = None
        sys.settrace(tracer)
        try:
            return function(*arguments, **named)
        finally:
            sys.settrace(None)
            _paused.tracer = tracer

    return call


def install() -> None:
    """Put the wrappers on."""
    for owner, name in LEAVES:
        setattr(owner, name, _untraced(getattr(owner, name)))
    for owner, name in OF_A_TEST:
        setattr(owner, name, _traced(getattr(owner, name)))
    execute = SourceFileLoader.exec_module
    execute_ours, execute_other = _traced(execute), _untraced(execute)

    def exec_module(loader: SourceFileLoader, module: Any) -> None:
        ours = module.__name__.partition(".")[0] in OURS
        (execute_ours if ours else execute_other)(loader, module)

    SourceFileLoader.exec_module = exec_module  # type: ignore[method-assign, assignment]
    _analyse_once()


def _analyse_once() -> None:
    """Let pytest-cov, which has the total reckoned and then the table, read each of our files once."""
    analyse, kept = coverage.Coverage._analyze, {}

    def once(self: coverage.Coverage, morf: Any, *arguments: Any, **named: Any) -> Any:
        key = (self, morf)
        if key not in kept:
            kept[key] = analyse(self, morf, *arguments, **named)
        return kept[key]

    coverage.Coverage._analyze = once  # type: ignore[method-assign]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol() -> Iterator[Any]:
    """Let the tracer see what belongs to the test, and none of pytest around it.

    Nor of how pytest collects thousands of them: what is imported meanwhile is seen.
    """
    tracer = _paused.tracer = sys.gettrace()
    if tracer is not None:
        sys.settrace(None)
    try:
        return (yield)
    finally:
        _paused.tracer = None
        if tracer is not None:
            sys.settrace(tracer)


pytest_collection = pytest_runtest_protocol


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[Any]:
    """Let nothing trace a test marked `untraced`.

    pytest-cov's own `no_cover` stops coverage and starts it again in the middle of calls that it has counted:
    the tests that come after it in the process would leave no trace.
    """
    paused = _paused.tracer
    if item.get_closest_marker("untraced"):
        _paused.tracer = None
    try:
        return (yield)
    finally:
        _paused.tracer = paused
