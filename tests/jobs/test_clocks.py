"""Whose clock decides: the database's, however wrong that of a worker or scheduler is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from cloudscribe.jobs import registry
from cloudscribe.jobs.claims import Hold, job_claim, job_fail_once, job_hold, jobs_expire
from cloudscribe.jobs.files import job_files_remove
from cloudscribe.jobs.jobs import purge
from cloudscribe.jobs.models import Job, JobFile, JobState
from cloudscribe.jobs.registry import ScheduleSpec
from cloudscribe.jobs.run import JobRun
from cloudscribe.jobs.runner import job_run
from cloudscribe.jobs.selectors import job_file
from cloudscribe.jobs.sweeper import due_queues, leases_reclaim, schedules_run
from tests.jobs.factories import back_date, claimed, file_make, job_make, operator
from tests.jobs.kinds import kind

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("skew")]


@pytest.fixture(params=[-3600, 3600], ids=["an hour behind", "an hour ahead"])
def skew(request: pytest.FixtureRequest) -> Iterator[float]:
    """This process's clock is off by so many seconds; the database's is right."""
    shift = dt.timedelta(seconds=request.param)
    with time_machine.travel(dt.datetime.now(dt.UTC) + shift, tick=True):
        yield request.param


def database_now() -> dt.datetime:
    """What the database's clock says."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (now,) = cursor.fetchone()
    assert isinstance(now, dt.datetime)
    return now


def near(moment: dt.datetime | None, seconds: float) -> bool:
    """Whether `moment` is so many seconds from the database's now, give or take ten."""
    return moment is not None and abs((moment - database_now()).total_seconds() - seconds) < 10


def test_clock_is_off(skew: float) -> None:
    """What the other tests rest on."""
    assert near(timezone.now(), skew)


def test_claim_is_of_what_is_due_there() -> None:
    """What is asked for now can be had now, what is due in half an hour can't."""
    assert job_claim(worker="w", uid=job_make().uid) is not None
    later = job_make(run_at=database_now() + dt.timedelta(minutes=30))
    assert job_claim(worker="w", uid=later.uid) is None
    assert due_queues() == []


def test_lease_ends_there(settings: Settings) -> None:
    """A lease lasts as long as it should: no live one is taken away, one that ran out is."""
    with kind(lambda run: None):
        job = claimed("w")
        assert near(job.lease_until, settings.JOB_LEASE)
        assert job_hold(job=job) is Hold.HELD
        assert leases_reclaim() == 0
        assert near(Job.objects.get().lease_until, settings.JOB_LEASE)
        jobs_expire(worker="w")
        assert leases_reclaim() == 1


def test_next_try_is_due_there(settings: Settings) -> None:
    """A failed try is repeated after its pause."""
    job_fail_once(actor=operator(), job=claimed(), code="x", error="x", max_attempts=3)
    assert near(Job.objects.get().run_at, settings.JOB_BACKOFF)


def test_times_of_a_job_are_of_there() -> None:
    """Whatever a job's row says has one clock."""
    with kind(lambda run: None):
        job = job_make()
        job_run("fast", str(job.uid))
    job.refresh_from_db()
    assert job.state == JobState.SUCCEEDED
    assert all(near(at, 0) for at in (job.created_at, job.run_at, job.started_at, job.finished_at))


def test_slot_of_a_schedule_is_one_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A scheduler with a wrong clock and one with the right one ask for one job a slot between them."""
    spec = ScheduleSpec("test.daily", dt.timedelta(days=1), "test.kind", {}, "slow")
    monkeypatch.setattr(registry, "_schedules", {spec.name: spec})
    assert [schedules_run(), schedules_run()] == [1, 0]
    with time_machine.travel(database_now(), tick=True):
        assert schedules_run() == 0
    assert near(Job.objects.get().run_at, 0)


def test_purge_takes_what_is_old_there(settings: Settings) -> None:
    """Jobs and their files are kept for their time, to the minute."""
    settings.JOB_RETENTION, settings.JOB_FILE_LIFETIME = 1800, 1800
    file = file_make()
    young, old = claimed(), claimed()
    Job.objects.filter(pk__in=[young.pk, old.pk]).update(
        state=JobState.SUCCEEDED, lease_until=None, finished_at=database_now()
    )
    back_date(old, 1900, "finished_at")
    assert near(JobFile.objects.get().expires_at, 1800)
    purge(JobRun(claimed(), operator()))
    assert Job.objects.filter(pk=young.pk).exists()
    assert not Job.objects.filter(pk=old.pk).exists()
    Job.objects.filter(pk=file.job_id).update(state=JobState.SUCCEEDED)
    assert job_file(file.job).pk == file.pk
    job_files_remove(files=[file])
