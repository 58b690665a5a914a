"""Background work that waits while the installation is frozen, and goes on afterwards."""

from __future__ import annotations

import datetime as dt

import pytest

from cloudscribe.jobs import registry
from cloudscribe.jobs.bell import bells
from cloudscribe.jobs.claims import job_claim
from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.ports import _HoldPort
from cloudscribe.jobs.registry import ScheduleSpec
from cloudscribe.jobs.runner import job_execute, jobs_drain
from cloudscribe.jobs.scheduler import Scheduler
from security.services import read_only_end, read_only_start
from tests.actors import command
from tests.jobs.factories import back_date, claimed, job_make
from tests.jobs.kinds import kind, raising

pytestmark = pytest.mark.django_db


def once() -> None:
    """Do what is due of the queue."""
    jobs_drain("fast", goes_on=lambda: True)


def state_of(job: Job) -> str:
    """As it is now."""
    job.refresh_from_db()
    return str(job.state)


def test_queued_job_waits_and_starts_when_it_is_over() -> None:
    """Whichever way somebody claims it."""
    job = job_make()
    read_only_start(actor=command())
    with kind(lambda run: None):
        once()
        assert job_claim(worker="w", uid=job.uid) is None
        assert (state_of(job), job.attempts) == (JobState.QUEUED, 0)
        read_only_end(actor=command())
        once()
    assert state_of(job) == JobState.SUCCEEDED


def test_running_job_ends() -> None:
    """Its work and its outcome are written."""
    with kind(lambda run: {"n": 1}):
        job = claimed()
        read_only_start(actor=command())
        assert job_execute(job)
    assert state_of(job) == JobState.SUCCEEDED


def test_running_job_that_fails_waits_for_its_next_try() -> None:
    """It is no exception: due or not, nobody takes it before that is over."""
    job = claimed()
    read_only_start(actor=command())
    with kind(raising(RuntimeError("It broke."))):
        job_execute(job)
    back_date(job, 3_600, "run_at")
    with kind(lambda run: None):
        once()
        assert (state_of(job), job.attempts) == (JobState.QUEUED, 1)
        read_only_end(actor=command())
        once()
    assert (state_of(job), job.attempts) == (JobState.SUCCEEDED, 2)


def test_scheduler_asks_for_nothing_and_rings_for_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each bell would cost a worker a process; when it is over a slot is taken and the bell rung."""
    spec = ScheduleSpec("test.hourly", dt.timedelta(hours=1), "test.kind", {}, "slow")
    monkeypatch.setattr(registry, "_schedules", {spec.name: spec})
    monkeypatch.setattr(registry, "_loops", {})
    waiting = job_make()
    back_date(waiting, 5, "run_at")
    read_only_start(actor=command())
    Scheduler().turn()
    assert (Job.objects.count(), bells("fast")) == (1, 0)
    read_only_end(actor=command())
    Scheduler().turn()
    assert (Job.objects.count(), bells("fast")) == (2, 1)


def test_scheduler_leaves_the_lost_job_to_later() -> None:
    """What a dead worker held is taken over when it is over."""
    job = claimed()
    back_date(job, 3_600, "lease_until")
    read_only_start(actor=command())
    Scheduler().turn()
    assert state_of(job) == JobState.RUNNING
    read_only_end(actor=command())
    Scheduler().turn()
    assert state_of(job) != JobState.RUNNING


@pytest.mark.usefixtures("redis_gone")
def test_scheduler_does_nothing_itself_without_redis() -> None:
    """That is a way of claiming, too."""
    job = job_make()
    read_only_start(actor=command())
    scheduler = Scheduler()
    scheduler.turn()
    assert not scheduler._drains
    assert state_of(job) == JobState.QUEUED


def test_only_loops_of_the_record_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """People sign in to read, and that is on the record: it is sealed as ever."""
    registry.autoload()
    names, turns = registry.loops(), list[str]()
    assert {loop.name for loop in names if loop.always} == {"audit.partitions", "audit.seal"}
    loops = {
        name: registry.LoopSpec(name, 0.0, lambda name=name: turns.append(name), name == "always")  # type: ignore[misc]
        for name in ("always", "other")
    }
    monkeypatch.setattr(registry, "_loops", loops)
    read_only_start(actor=command())
    scheduler = Scheduler()
    scheduler.turn()
    assert turns == ["always"]
    read_only_end(actor=command())
    scheduler.turn()
    assert turns == ["always", "always", "other"]


def test_work_waits_where_nobody_can_say() -> None:
    """As with the other ports: a missing provider refuses."""
    assert _HoldPort()()
