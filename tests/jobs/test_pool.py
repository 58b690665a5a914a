"""The workers as processes, from the bell to the result."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path

import django_rq
import pytest
from rq.job import Job as Bell
from rq.registry import FailedJobRegistry, FinishedJobRegistry, StartedJobRegistry

from cloudscribe.jobs.bell import bells
from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.queues import PURGE
from tests.jobs.factories import back_date, job_make
from tests.jobs.processes import command

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for something that processes do; fails when it doesn't come in time."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, "it did not happen in time"
        threading.Event().wait(0.05)


def state_of(job: Job) -> str:
    """Where the job stands now."""
    return str(Job.objects.values_list("state", flat=True).get(pk=job.pk))


def test_workers_do_jobs_of_both_queues() -> None:
    """A job of either queue is done by a worker of that queue; in its process follows what waits there.

    None follows one that took much memory. Of the bells that were answered on the way nothing is left.
    """
    asked = [("pid", "fast"), ("pid", "slow"), ("pid", "fast"), ("grow", "fast"), ("pid", "fast")]
    jobs = [job_make(kind=f"test.{kind}", queue=queue) for kind, queue in asked]
    fast = django_rq.get_queue("fast")
    left = [f"{Bell.redis_job_namespace_prefix}*", fast.intermediate_queue_key, fast.key]
    with command("rqworkers"):
        until(lambda: all(state_of(job) == JobState.SUCCEEDED for job in jobs))
        until(lambda: not any(fast.connection.keys(name) for name in left))
    rows = list(Job.objects.order_by("id"))
    assert [row.claimed_by.partition("-")[0] for row in rows] == [queue for _, queue in asked]
    results = [row.result or {} for row in rows]
    first, slow, second, large, last = [result["pid"] for result in results]
    assert first == second == large
    assert len({first, slow, last}) == 3
    # What only pages need is not loaded: it takes a third of the time to start.
    assert not any(result.get("pages") for result in results)
    registries = (StartedJobRegistry, FinishedJobRegistry, FailedJobRegistry)
    assert [len(registry(queue=fast)) for registry in registries] == [0, 0, 0]


def test_workers_start_again_what_was_killed() -> None:
    """A worker that is killed is replaced; the bell that it may have taken with it is rung again."""
    with command("rqworkers"), command("scheduler"):
        first = job_make(kind="test.pid")
        until(lambda: state_of(first) == JobState.SUCCEEDED)
        first.refresh_from_db()
        assert first.result is not None
        horse = Path(f"/proc/{first.result['pid']}")
        # It would take up the second job where it looks for one before it learns of its worker's end.
        until(lambda: not horse.exists())
        os.kill(first.result["worker"], signal.SIGKILL)
        second = job_make(kind="test.pid")
        until(lambda: state_of(second) == JobState.SUCCEEDED)
        second.refresh_from_db()
        assert second.result is not None
        assert second.result["worker"] != first.result["worker"]


def test_workers_killed_in_the_middle_of_a_job_have_it_done_by_the_next() -> None:
    """Worker and work-horse gone at once, nobody ends the lease: it runs out, and the job is tried again."""
    with command("rqworkers", JOB_LEASE=4.0), command("scheduler", JOB_BACKOFF=0.1):
        first = job_make(kind="test.pid")
        until(lambda: state_of(first) == JobState.SUCCEEDED)
        first.refresh_from_db()
        assert first.result is not None
        worker = first.result["worker"]
        held = job_make(kind="test.hold_once", payload={"seconds": 60})
        until(lambda: state_of(held) == JobState.RUNNING)
        horses = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
        for pid in (worker, *map(int, horses)):
            os.kill(pid, signal.SIGKILL)
        until(lambda: state_of(held) == JobState.SUCCEEDED)
    held.refresh_from_db()
    assert held.attempts == 2
    # The try that died was counted: one that kills each worker ends.
    assert held.attempts_forgiven == 0


def test_workers_find_again_what_a_flushed_redis_forgot() -> None:
    """Bells that Redis has lost are hung again by the scheduler."""
    job = job_make(kind="test.pid")
    back_date(job, 60, "run_at")
    django_rq.get_connection("fast").flushdb()
    with command("rqworkers"), command("scheduler"):
        until(lambda: state_of(job) == JobState.SUCCEEDED)
        django_rq.get_connection("fast").flushdb()
        second = job_make(kind="test.pid")
        until(lambda: state_of(second) == JobState.SUCCEEDED)


def test_workers_let_a_running_job_finish_at_the_end() -> None:
    """SIGTERM waits for the job at hand, and no other is begun."""
    with command("rqworkers") as process:
        job = job_make(kind="test.hold", payload={"seconds": 1.5})
        next_one = job_make(kind="test.pid")
        until(lambda: state_of(job) == JobState.RUNNING)
        process.terminate()
        process.join(20)
        assert process.exitcode == 0
    assert state_of(job) == JobState.SUCCEEDED
    next_one.refresh_from_db()
    assert (next_one.state, next_one.attempts, bells("fast")) == (JobState.QUEUED, 0, 1)


def test_workers_lose_a_killed_horses_job_to_the_scheduler() -> None:
    """A job whose process is killed is queued again by the sweep, long before its lease ran out.

    What the process had done before isn't done again, what waited is done by the next.
    """
    kinds = ["test.pid", "test.pid", "test.die_once", "test.pid"]
    jobs = [job_make(kind=kind) for kind in kinds]
    with command("rqworkers"), command("scheduler", JOB_BACKOFF=0.1):
        until(lambda: all(state_of(job) == JobState.SUCCEEDED for job in jobs))
    rows = list(Job.objects.filter(pk__in=[job.pk for job in jobs]).order_by("id"))
    assert [row.attempts for row in rows] == [1, 1, 2, 1]
    first, second, last = [(row.result or {})["pid"] for row in rows if row.kind == "test.pid"]
    assert first == second != last


def test_scheduler_asks_for_scheduled_jobs_and_rings_for_forgotten_ones() -> None:
    """The scheduler enqueues the slot's job, and both it and a job without a bell get done by workers."""
    forgotten = job_make(kind="test.pid")
    back_date(forgotten, 60, "run_at")
    with command("scheduler"), command("rqworkers"):
        until(lambda: state_of(forgotten) == JobState.SUCCEEDED)
        until(lambda: Job.objects.filter(kind=PURGE, state=JobState.SUCCEEDED).exists())


def test_scheduler_does_jobs_within_a_second_while_redis_is_gone(redis_gone: None) -> None:
    """Queued work goes on without Redis: it starts within a second or so of being asked for."""
    with command("scheduler"):
        until(lambda: Job.objects.filter(kind=PURGE, state=JobState.SUCCEEDED).exists())
        job = job_make(kind="test.pid")
        until(lambda: state_of(job) == JobState.SUCCEEDED)
    job.refresh_from_db()
    assert job.started_at is not None
    assert (job.started_at - job.created_at).total_seconds() < 3
