"""Kinds of jobs for tests: each does one thing that a handler can do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from cloudscribe.jobs import registry
from cloudscribe.jobs.registry import Handler, JobSpec

KIND = "test.kind"


@contextmanager
def kind(handle: Handler, *, name: str = KIND, max_attempts: int = 3, timeout: int = 10) -> Iterator[None]:
    """Let `handle` do jobs of the kind for the length of a block."""
    registry._specs[name] = JobSpec(name, handle, max_attempts, timeout)
    try:
        yield
    finally:
        del registry._specs[name]


def raising(error: BaseException) -> Callable[[Any], None]:
    """A handler that fails with `error`."""

    def handle(run: Any) -> None:
        raise error

    return handle
