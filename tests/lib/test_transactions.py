"""One service call = one transaction, tried again where the database asks for it."""

from __future__ import annotations

import psycopg
import pytest
from django.db import OperationalError, connection, transaction

from cloudscribe.lib.context import RequestContext, request_context
from cloudscribe.lib.errors import ServiceUnavailable
from cloudscribe.lib.transactions import on_commit, transactional


class Service:
    """A service that fails as often as the test says."""

    def __init__(self, failures: int, cause: type[psycopg.Error]) -> None:
        self.calls = 0
        self._failures = failures
        self._cause = cause
        self.in_transaction: list[bool] = []

    def __call__(self) -> str:
        """Done, or the failure."""
        self.calls += 1
        self.in_transaction.append(connection.in_atomic_block)
        if self.calls <= self._failures:
            raise OperationalError from self._cause()
        return "done"


RETRIED = [psycopg.errors.DeadlockDetected, psycopg.errors.SerializationFailure]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("cause", RETRIED)
def test_service_that_loses_a_deadlock_twice_is_done_at_the_third_try(cause: type[psycopg.Error]) -> None:
    """Each try is a transaction of its own."""
    service = Service(2, cause)
    assert transactional(service.__call__)() == "done"
    assert (service.calls, service.in_transaction) == (3, [True] * 3)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("cause", "calls"), [(RETRIED[0], 3), (psycopg.errors.QueryCanceled, 1)])
def test_service_gives_up(cause: type[psycopg.Error], calls: int) -> None:
    """After three tries, and at once where a repetition would not help."""
    service = Service(9, cause)
    with pytest.raises(OperationalError):
        transactional(service.__call__)()
    assert service.calls == calls


@pytest.mark.django_db(transaction=True)
def test_service_inside_a_transaction_is_not_tried_again() -> None:
    """The error has ended the outer transaction already: only its owner can start over."""
    service = Service(1, RETRIED[0])
    with pytest.raises(OperationalError), transaction.atomic():
        transactional(service.__call__)()
    assert service.calls == 1


@pytest.mark.django_db(transaction=True)
def test_action_after_the_commit_may_fail_without_failing_the_request() -> None:
    """The work is done; those after it still run, and none runs after a rollback."""
    done: list[str] = []

    def fail() -> None:
        raise RuntimeError("ring failed")

    with transaction.atomic():
        on_commit(fail)
        on_commit(lambda: done.append("second"))
        assert done == []
    assert done == ["second"]
    with transaction.atomic():
        on_commit(lambda: done.append("never"))
        transaction.set_rollback(True)
    assert done == ["second"]


@pytest.mark.django_db(transaction=True)
def test_check_is_asked_before_each_try() -> None:
    """Outside of the transaction; what it raises ends the call, also between two tries."""
    service, asked = Service(9, RETRIED[0]), list[bool]()

    def check() -> None:
        asked.append(connection.in_atomic_block)
        if len(asked) == 3:
            raise ServiceUnavailable

    context = RequestContext("request-1", writing_check=check)
    with request_context(context), pytest.raises(ServiceUnavailable):
        transactional(service.__call__)()
    assert (asked, service.calls) == ([False] * 3, 2)


@pytest.mark.django_db(transaction=True)
def test_check_is_not_asked_within_a_transaction() -> None:
    """What has begun comes to its end."""
    asked: list[str] = []
    with (
        request_context(RequestContext("request-1", writing_check=lambda: asked.append("asked"))),
        transaction.atomic(),
    ):
        transactional(Service(0, RETRIED[0]).__call__)()
    assert asked == []
