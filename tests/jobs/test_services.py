"""Cancelling and trying again."""

from __future__ import annotations

import pytest

from audit.models import Event
from cloudscribe.jobs.claims import job_claim, job_fail, job_succeed
from cloudscribe.jobs.exceptions import JobFinished, JobUnfinished
from cloudscribe.jobs.models import JobState
from cloudscribe.jobs.services import job_cancel, job_retry
from tests.jobs.factories import claimed, job_make, operator, person

pytestmark = pytest.mark.django_db


def test_cancel_of_a_waiting_job() -> None:
    """What waits ends at once, on the record by who did it, and can't be claimed any more."""
    actor = person()
    job = job_cancel(actor=actor, job=job_make(actor))
    assert job.state == JobState.CANCELLED
    assert job.finished_at is not None
    assert job_claim(worker="w", uid=job.uid) is None
    event = Event.objects.get()
    assert (event.action, event.actor_uid, event.target_uid) == ("job.cancelled", actor.uid, job.uid)


def test_cancel_twice() -> None:
    """The second time changes nothing and writes nothing."""
    job = job_cancel(actor=operator(), job=claimed())
    again = job_cancel(actor=operator(), job=job)
    assert (again.state, again.cancel_requested_at) == (JobState.RUNNING, job.cancel_requested_at)
    assert Event.objects.count() == 1


def test_cancel_of_an_ended_job() -> None:
    """What has succeeded stays so."""
    job = claimed()
    job_succeed(job=job, result=None)
    with pytest.raises(JobFinished):
        job_cancel(actor=operator(), job=job)
    assert not Event.objects.exists()


def test_retry_of_a_failed_job() -> None:
    """A failed job is due again with all its tries, and who did that is on the record."""
    job = claimed()
    job_fail(actor=operator(), job=job, code="internal", error="x")
    again = job_retry(actor=operator(), job=job)
    assert (again.state, again.error_code, again.finished_at) == (JobState.QUEUED, "", None)
    assert again.attempts - again.attempts_forgiven == 0
    assert job_claim(worker="w", uid=job.uid) is not None
    assert [event.action for event in Event.objects.order_by("sequence")] == ["job.failed", "job.retried"]


def test_retry_of_what_has_not_failed() -> None:
    """What waits, runs or succeeded is not tried again."""
    running, done = claimed(), claimed()
    job_succeed(job=done, result=None)
    for job in (job_make(), running, done):
        with pytest.raises(JobUnfinished):
            job_retry(actor=operator(), job=job)
