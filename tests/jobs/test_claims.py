"""Claims, leases and fences."""

from __future__ import annotations

import contextlib
import threading
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction
from pytest_django import Settings

from audit.models import Event
from cloudscribe.jobs.claims import (
    _CLAIM,
    Hold,
    job_claim,
    job_fail,
    job_fail_once,
    job_hold,
    job_stop,
    job_succeed,
    jobs_expire,
    jobs_give_back,
)
from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.sweeper import leases_reclaim
from tests.conftest import SERVERS
from tests.jobs.factories import back_date, claimed, job_make, operator, soon
from tests.jobs.kinds import kind

pytestmark = pytest.mark.django_db

_MANY = """
INSERT INTO jobs_job (uid, kind, queue, payload, actor, request_id, state, run_at, attempts,
  attempts_forgiven, claimed_by, error_code, error, progress_done, created_at, updated_at)
SELECT gen_random_uuid(), 'test.kind', %(queue)s, '{}', '{}', '', 'queued',
  now() - interval '1 hour' + n * interval '1 ms', 0, 0, '', '', '', 0, now(), now()
FROM generate_series(1, %(count)s) AS n
"""


def test_claim_due_job() -> None:
    """A claim takes the job into a lease under the worker's name and counts the try."""
    job = claimed("worker-1")
    assert (job.state, job.attempts, job.claimed_by) == (JobState.RUNNING, 1, "worker-1")
    assert job.lease_until is not None
    assert job.lease_until > job.now


def test_claim_of_the_queue_takes_the_longest_due() -> None:
    """A queue is served in the order in which jobs became due, whatever the other queue holds."""
    job_make(queue="slow")
    first, second = job_make(), job_make()
    back_date(second, 60, "run_at")
    assert [job_claim(worker="w", queue="fast").pk for _ in range(2)] == [second.pk, first.pk]  # type: ignore[union-attr]
    assert job_claim(worker="w", queue="fast") is None


def test_claim_of_what_is_not_due() -> None:
    """What is to run later can't be claimed."""
    assert job_claim(worker="w", uid=job_make(run_at=soon()).uid) is None


def test_claim_of_a_running_job() -> None:
    """A running job belongs to its worker."""
    assert job_claim(worker="other", uid=claimed().uid) is None


@pytest.mark.django_db(transaction=True)
def test_claim_eight_at_once() -> None:
    """Of eight workers that claim one job at once exactly one gets it."""
    uid = job_make().uid
    start = threading.Barrier(8)
    got: list[Job | None] = []

    def claim(number: int) -> None:
        start.wait(5)
        got.append(job_claim(worker=f"w{number}", uid=uid))
        connection.close()

    threads = [threading.Thread(target=claim, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len([job for job in got if job]) == 1
    assert Job.objects.get().attempts == 1


def _jobs_insert(queue: str, count: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_MANY, {"queue": queue, "count": count})


def _buffers(**which: Any) -> int:
    """How many buffers a claim touches; the claim is undone."""
    values = {"worker": "w", "lease": 60, "uid": None, "queue": None, "since": None, **which}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON, BUFFERS) " + _CLAIM, values)
        (plan,) = cursor.fetchone()
        transaction.set_rollback(True)
    top = plan[0]["Plan"]
    return int(top["Shared Hit Blocks"] + top["Shared Read Blocks"])


@pytest.mark.django_db(transaction=True)
def test_claim_costs_the_same_while_a_snapshot_is_held_open() -> None:
    """What was claimed since stays in the index for the snapshot's sake, and no claim walks through it."""
    other = connection.copy()
    with contextlib.closing(other), other.cursor() as snapshot:
        snapshot.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        snapshot.execute("SELECT count(*) FROM jobs_job")
        _jobs_insert("slow", 5_000)
        last = Job.objects.order_by("-run_at")[0]
        Job.objects.exclude(pk=last.pk).update(state=JobState.SUCCEEDED)
        assert _buffers(queue="slow") > 100, "nothing was in the way: the test shows nothing"
        assert _buffers(uid=last.uid) < 40
        assert _buffers(queue="slow", since=last.run_at) < 40
        snapshot.execute("ROLLBACK")


@pytest.mark.django_db(transaction=True)
def test_claim_costs_the_same_whatever_waits_in_the_other_queue() -> None:
    """Mail starts as quickly before 5,000 imports that wait."""
    _jobs_insert("slow", 5_000)
    # The application may not do it: the table is its owner's.
    with psycopg.connect(SERVERS.superuser_url(), autocommit=True) as owner:
        owner.execute("VACUUM (ANALYZE) jobs_job")
    assert _buffers(queue="fast") < 40


def test_hold_extends_the_lease_and_keeps_the_progress() -> None:
    """A beat moves the end of the lease; progress stays where none is told."""
    job = claimed()
    assert job_hold(job=job, done=3, total=9) is Hold.HELD
    back_date(job, 30, "lease_until")
    assert job_hold(job=job) is Hold.HELD
    row = Job.objects.get()
    assert (row.progress_done, row.progress_total) == (3, 9)
    assert row.lease_until is not None
    assert job.lease_until is not None
    assert row.lease_until > job.lease_until


def test_outdated_worker_changes_nothing() -> None:
    """A worker whose job was taken over can neither hold nor end it: its number is old."""
    old = claimed("old")
    jobs_give_back(workers=["old"])
    assert job_claim(worker="new", uid=old.uid) is not None
    assert job_hold(job=old) is Hold.LOST
    assert not job_succeed(job=old, result={"by": "old"})
    assert not job_fail(actor=operator(), job=old, code="x", error="x")
    assert not job_fail_once(actor=operator(), job=old, code="x", error="x", max_attempts=3)
    assert not job_stop(job=old)
    row = Job.objects.get()
    assert (row.state, row.result, row.claimed_by) == (JobState.RUNNING, None, "new")
    assert not Event.objects.exists()


def test_give_back_does_not_count_the_try() -> None:
    """What a worker gives back when told to stop is due at once, and the try is forgiven."""
    job = claimed("w")
    other = claimed("other")
    assert jobs_give_back(workers=["w"]) == 1
    row = Job.objects.get(pk=job.pk)
    assert (row.state, row.attempts, row.attempts_forgiven) == (JobState.QUEUED, 1, 1)
    assert Job.objects.get(pk=other.pk).state == JobState.RUNNING


def test_reclaim_leaves_live_leases_alone() -> None:
    """Only a lease that ran out is taken."""
    claimed()
    assert leases_reclaim() == 0
    assert Job.objects.get().state == JobState.RUNNING


def test_reclaim_of_a_dead_workers_job() -> None:
    """A job whose worker gave no sign for a lease is queued again, the try counted."""
    with kind(lambda run: None):
        job = claimed("w")
        back_date(job, 61, "lease_until")
        assert leases_reclaim() == 1
    row = Job.objects.get()
    assert (row.state, row.error_code, row.attempts) == (JobState.QUEUED, "worker_lost", 1)


def test_reclaim_after_the_last_try_is_on_the_record() -> None:
    """A job that kills each worker ends as failed, with one event."""
    with kind(lambda run: None, max_attempts=1):
        job = claimed("w")
        jobs_expire(worker="w")
        assert leases_reclaim() == 1
    assert Job.objects.get().state == JobState.FAILED
    event = Event.objects.get()
    assert (event.action, event.target_uid, event.facts["attempts"]) == ("job.failed", job.uid, 1)


def test_reclaim_of_a_job_that_was_to_stop() -> None:
    """Who asked a job to stop whose worker then died finds it cancelled."""
    job = claimed("w")
    Job.objects.filter(pk=job.pk).update(cancel_requested_at=job.now)
    jobs_expire(worker="w")
    leases_reclaim()
    assert Job.objects.get().state == JobState.CANCELLED


def test_failed_tries_wait_longer_each_time(settings: Settings) -> None:
    """The wait doubles from the base, within 20 % either way."""
    settings.JOB_BACKOFF = 10
    waits = []
    job = job_make()
    for _ in range(3):
        got = job_claim(worker="w", uid=job.uid)
        assert got is not None
        job_fail_once(actor=operator(), job=got, code="x", error="x", max_attempts=4)
        row = Job.objects.get()
        waits.append((row.run_at - row.updated_at).total_seconds())
        back_date(job, 600, "run_at")
    for wait, nominal in zip(waits, [10, 20, 40], strict=True):
        assert nominal * 0.79 <= wait <= nominal * 1.21
