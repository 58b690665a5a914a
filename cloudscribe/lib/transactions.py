"""One service call = one transaction, with retries where the database asks for them."""

from __future__ import annotations

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import structlog
from django.db import DatabaseError, OperationalError, connection, transaction

from cloudscribe.lib.context import current_context
from cloudscribe.lib.observability.metrics import ON_COMMIT_FAILURES, TRANSACTION_RETRIES

P = ParamSpec("P")
R = TypeVar("R")

_RETRIED = {"40001": "serialization_failure", "40P01": "deadlock_detected"}
_TRIES = 3

log = structlog.get_logger(__name__)


def transactional(service: Callable[P, R]) -> Callable[P, R]:
    """Run `service` in one transaction and try again, up to 3 times with jitter, what lost a deadlock.

    Only the outermost transaction can be tried again: inside another one (the idempotency guard's, the
    admin's) the error has already ended that one. There the service runs under a savepoint, so that a
    refusal halfway leaves nothing behind.
    """

    @functools.wraps(service)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        if connection.in_atomic_block:
            with transaction.atomic():
                return service(*args, **kwargs)
        check = current_context().writing_check
        for attempt in range(1, _TRIES + 1):
            # Again before each: a body that took long to read, or a lost deadlock, lie behind the door.
            if check is not None:
                check()
            try:
                with transaction.atomic():
                    return service(*args, **kwargs)
            except OperationalError as error:
                reason = _RETRIED.get(sqlstate(error))
                if reason is None or attempt == _TRIES:
                    raise
                TRANSACTION_RETRIES.labels(reason=reason).inc()
                time.sleep(random.uniform(0.005, 0.03) * attempt)  # noqa: S311 (jitter, not a secret)
        raise AssertionError("unreachable: the last try returns or raises")

    return run


def sqlstate(error: DatabaseError) -> str:
    """The five-letter SQLSTATE behind a Django database error, empty where there is none."""
    return getattr(error.__cause__, "sqlstate", None) or ""


def on_commit(action: Callable[[], object]) -> None:
    """Call `action` after the outermost commit; what it raises is logged and counted: the work is done."""

    def run() -> None:
        try:
            action()
        except Exception:
            ON_COMMIT_FAILURES.inc()
            log.exception("on_commit_failed")

    transaction.on_commit(run)
