"""Asking for work."""

from __future__ import annotations

import threading
import time

import django_rq
import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from cloudscribe.jobs.bell import bells
from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.services import job_enqueue
from tests.jobs.factories import claimed, job_make, operator, person, soon

pytestmark = pytest.mark.django_db


@pytest.mark.django_db(transaction=True)
def test_enqueue_outside_a_transaction() -> None:
    """A job without the transaction that causes it is refused: it could outlive what it is about."""
    with pytest.raises(TransactionManagementError):
        job_enqueue(actor=operator(), kind="x", payload={})


def test_enqueue_keeps_who_asked_and_how_far_the_credential_reached() -> None:
    """The row holds who asked and the credential's cut, and no rights."""
    actor = person(scopes=frozenset({"documents:read", "a"}))
    job = job_make(actor, payload={"document": "1"})
    assert job.state == JobState.QUEUED
    assert job.actor_uid == actor.uid
    assert job.actor == {
        "kind": "user",
        "uid": str(actor.uid),
        "name": "Ann",
        "credential_kind": "session",
        "credential_uid": str(actor.credential_uid),
        "scopes": ["a", "documents:read"],
        "authenticated_at": None,
        "on_behalf_of": None,
        "limit": None,
    }
    assert job.payload == {"document": "1"}


def test_enqueue_into_an_unknown_queue() -> None:
    """A queue that no worker serves is a mistake of the caller."""
    with pytest.raises(ValueError, match="no queue nowhere"):
        job_make(queue="nowhere")


def test_enqueue_twice_under_one_key() -> None:
    """One waiting job stands for all who ask under its key, at the earliest time asked for."""
    later = job_make(dedupe_key="k", run_at=soon())
    now = job_make(dedupe_key="k")
    assert now.pk == later.pk
    assert now.run_at < later.run_at
    assert Job.objects.count() == 1


def test_enqueue_under_the_key_of_a_running_job() -> None:
    """A running job may have read the old state, so that whoever asks now gets a job of their own."""
    first = claimed(dedupe_key="k")
    assert job_make(dedupe_key="k").pk != first.pk


@pytest.mark.django_db(transaction=True)
def test_enqueue_rings_after_the_commit_and_not_before() -> None:
    """The bell hangs only once the row can be seen."""
    with transaction.atomic():
        job = job_enqueue(actor=operator(), kind="x", payload={})
        assert bells("fast") == 0
    assert bells("fast") == 1
    (bell,) = django_rq.get_queue("fast").jobs
    assert bell.args == ["fast", str(job.uid)]


@pytest.mark.django_db(transaction=True)
def test_enqueue_rolled_back() -> None:
    """What was rolled back is neither there nor rung for."""
    with transaction.atomic():
        job_enqueue(actor=operator(), kind="x", payload={})
        transaction.set_rollback(True)
    assert not Job.objects.exists()
    assert bells("fast") == 0


@pytest.mark.django_db(transaction=True)
def test_enqueue_while_redis_is_gone(redis_gone: None) -> None:
    """The work is accepted without the bell."""
    job = job_make()
    assert Job.objects.get().pk == job.pk


@pytest.mark.django_db(transaction=True)
def test_enqueue_at_a_later_time_does_not_ring() -> None:
    """Nobody is called for what isn't due."""
    job_make(run_at=soon())
    assert bells("fast") == 0


@pytest.mark.django_db(transaction=True)
def test_enqueue_two_at_once_under_one_key() -> None:
    """Of two transactions that ask under one key the second waits for the first and joins it."""
    first_holds, second_done = threading.Event(), threading.Event()
    found: list[int] = []

    def second() -> None:
        first_holds.wait(5)
        found.append(job_make(dedupe_key="k").pk)
        connection.close()
        second_done.set()

    thread = threading.Thread(target=second)
    thread.start()
    with transaction.atomic():
        mine = job_enqueue(actor=operator(), kind="x", payload={}, dedupe_key="k")
        first_holds.set()
        assert not second_done.wait(0.2)
    thread.join(5)
    assert found == [mine.pk]


@pytest.mark.django_db(transaction=True)
def test_enqueue_while_redis_hangs(redis_hung: None) -> None:
    """A Redis that takes connections and never answers costs one time-out, then nothing."""
    started = time.monotonic()
    for _ in range(10):
        job_make()
    assert time.monotonic() - started < 2  # without the breaker it would be 3 and more
    assert Job.objects.count() == 10
