"""Workers and schedulers as processes whose clocks are wrong: the database's decides."""

from __future__ import annotations

import datetime as dt
import os
import signal
from pathlib import Path

import pytest
from django.utils import timezone

from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.queues import PURGE
from tests.jobs.factories import job_make
from tests.jobs.processes import command
from tests.jobs.test_pool import state_of, until

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("ahead", [-3600, 3600])
def test_worker_and_one_of_two_schedulers_an_hour_off(ahead: float) -> None:
    """Jobs are done, a dead worker's by the next, a long one is left to its worker, a later one waits."""
    with (
        command("rqworkers", ahead=ahead, JOB_LEASE=3.0),
        command("scheduler", ahead=ahead, JOB_BACKOFF=0.1),
        command("scheduler", JOB_BACKOFF=0.1),
    ):
        later = job_make(kind="test.pid", run_at=timezone.now() + dt.timedelta(minutes=30))
        held = job_make(kind="test.hold", payload={"seconds": 8}, queue="slow")
        first = job_make(kind="test.pid")
        until(lambda: state_of(first) == JobState.SUCCEEDED)
        until(lambda: state_of(held) == JobState.SUCCEEDED)
        until(lambda: Job.objects.filter(kind=PURGE, state=JobState.SUCCEEDED).exists())
        lost = job_make(kind="test.hold_once", payload={"seconds": 60})
        until(lambda: state_of(lost) == JobState.RUNNING)
        first.refresh_from_db()
        assert first.result is not None
        worker = first.result["worker"]
        horses = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
        for pid in (worker, *map(int, horses)):
            os.kill(pid, signal.SIGKILL)
        until(lambda: state_of(lost) == JobState.SUCCEEDED)
    held.refresh_from_db()
    lost.refresh_from_db()
    assert (state_of(later), held.attempts, lost.attempts) == (JobState.QUEUED, 1, 2)
    assert Job.objects.filter(kind=PURGE).count() == 1
