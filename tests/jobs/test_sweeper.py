"""Bells, schedules and the scheduler's turns."""

from __future__ import annotations

import datetime as dt
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import django_rq
import pytest
from django.db import connection

from cloudscribe.jobs import registry
from cloudscribe.jobs.bell import bells
from cloudscribe.jobs.models import Job, JobState, Schedule
from cloudscribe.jobs.registry import ScheduleSpec
from cloudscribe.jobs.scheduler import Scheduler
from cloudscribe.jobs.sweeper import bells_mend, due_queues, schedules_run
from tests.jobs.factories import back_date, claimed, job_make, soon
from tests.jobs.kinds import kind


def await_children(scheduler: Scheduler) -> None:
    """Wait until the scheduler's children have ended, and leave them for it to find."""
    for pid in scheduler._drains.values():
        os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)


@pytest.fixture
def hourly(monkeypatch: pytest.MonkeyPatch) -> ScheduleSpec:
    """The only schedule: one job an hour."""
    spec = ScheduleSpec("test.hourly", dt.timedelta(hours=1), "test.kind", {"n": 1}, "slow")
    monkeypatch.setattr(registry, "_schedules", {spec.name: spec})
    return spec


@pytest.mark.django_db(transaction=True)
def test_mend_rings_for_a_job_whose_bell_was_lost() -> None:
    """A due job without a bell gets one, and only one."""
    job = job_make()
    django_rq.get_queue("fast").empty()
    back_date(job, 5, "run_at")
    assert bells_mend()
    assert bells_mend()
    (bell,) = django_rq.get_queue("fast").jobs
    assert bell.args == ["fast", str(job.uid)]


@pytest.mark.django_db(transaction=True)
def test_mend_leaves_alone_what_is_not_due_or_taken() -> None:
    """Nobody is called for what waits for its time or has its worker."""
    claimed()
    job_make(run_at=soon())
    django_rq.get_queue("fast").empty()
    assert bells_mend()
    assert bells("fast") == 0


@pytest.mark.django_db
def test_mend_asks_once_while_nothing_waits(django_assert_num_queries: Callable[[int], Any]) -> None:
    """An idle scheduler looks twice a second: it asks one thing."""
    with django_assert_num_queries(1):
        assert bells_mend()


@pytest.mark.django_db
def test_mend_of_nothing_tells_that_redis_is_gone(redis_gone: None) -> None:
    """What becomes due next is to be done without it, so that is known before."""
    assert not bells_mend()


@pytest.mark.django_db(transaction=True)
def test_mend_without_redis(redis_gone: None) -> None:
    """Without Redis there is nothing to mend, and the answer says so."""
    back_date(job_make(), 5, "run_at")
    assert not bells_mend()
    assert due_queues() == ["fast"]


@pytest.mark.django_db
def test_schedule_asks_once_a_slot(hourly: ScheduleSpec) -> None:
    """A slot gives one job, however often it is looked at."""
    assert [schedules_run() for _ in range(3)] == [1, 0, 0]
    job = Job.objects.get()
    assert (job.kind, job.payload, job.queue, job.actor["name"]) == (
        hourly.kind,
        {"n": 1},
        "slow",
        "schedule test.hourly",
    )


@pytest.mark.django_db
def test_schedule_whose_slot_is_taken_is_left_alone(hourly: ScheduleSpec) -> None:
    """To look at what is not due writes nothing, or an idle system would write each second."""
    schedules_run()
    with connection.cursor() as cursor:
        rows = []
        for _ in range(2):
            cursor.execute("SELECT ctid::text, xmin::text, xmax::text FROM jobs_schedule")
            rows.append(cursor.fetchall())
            assert schedules_run() == 0
    assert rows[0] == rows[1]


@pytest.mark.django_db
def test_schedule_asks_again_in_the_next_slot(hourly: ScheduleSpec) -> None:
    """When the hour is over the next job is asked for, and slots that were missed are not made up for."""
    schedules_run()
    Job.objects.update(state=JobState.SUCCEEDED)
    Schedule.objects.update(slot=Schedule.objects.get().slot - dt.timedelta(hours=5))
    assert [schedules_run() for _ in range(2)] == [1, 0]
    assert Job.objects.count() == 2


@pytest.mark.django_db
def test_schedule_does_not_pile_up(hourly: ScheduleSpec) -> None:
    """A job that still waits from the slot before stands for the new one."""
    schedules_run()
    Schedule.objects.update(slot=Schedule.objects.get().slot - dt.timedelta(hours=1))
    schedules_run()
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_schedule_two_schedulers_at_once(hourly: ScheduleSpec) -> None:
    """Of schedulers that look at one slot at once one asks for the job."""
    start = threading.Barrier(4)
    taken: list[int] = []

    def look() -> None:
        start.wait(5)
        taken.append(schedules_run())
        connection.close()

    threads = [threading.Thread(target=look) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert sorted(taken) == [0, 0, 0, 1]
    assert Job.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_turn_outlives_a_loop_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that raises doesn't keep the others from their turn."""
    turns: list[str] = []

    def fails() -> None:
        turns.append("fails")
        raise RuntimeError

    broken = registry.LoopSpec("fails", 0.0, fails)
    sound = registry.LoopSpec("sound", 0.0, lambda: turns.append("sound"))
    monkeypatch.setattr(registry, "_loops", {"fails": broken, "sound": sound})
    Scheduler().turn()
    assert turns == ["fails", "sound"]


@pytest.mark.django_db(transaction=True)
def test_turn_does_due_jobs_itself_while_redis_is_gone(redis_gone: None) -> None:
    """Without Redis the scheduler does the due jobs in children of its own, under claims of its name."""
    with kind(lambda run: {"pid": os.getpid()}):
        job = job_make()
        scheduler = Scheduler()
        scheduler.turn()
        await_children(scheduler)
        scheduler._end()
    job.refresh_from_db()
    assert job.state == JobState.SUCCEEDED
    assert job.claimed_by.startswith("scheduler-")
    assert job.result is not None
    assert job.result["pid"] != os.getpid()


@pytest.mark.django_db(transaction=True)
def test_turn_lets_go_of_what_its_killed_child_held(redis_gone: None) -> None:
    """A child that is killed in the middle of a job loses the job at once, not after a whole lease."""

    def suicide(run: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    with kind(suicide):
        job = job_make()
        scheduler = Scheduler()
        scheduler.turn()
        await_children(scheduler)
        scheduler._due_at.clear()
        scheduler._reap()
        scheduler.turn()
    job.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.QUEUED, "worker_lost")
