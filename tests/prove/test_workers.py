"""Workers at the end and after the loss of their connections: what takes as long as it takes."""

from __future__ import annotations

import time
from pathlib import Path

import psycopg
import pytest

from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.processes import HORSE_WAITS
from tests.conftest import SERVERS
from tests.jobs.factories import job_make
from tests.jobs.processes import command
from tests.jobs.test_pool import state_of, until

pytestmark = pytest.mark.django_db(transaction=True)


def waiting(worker: int) -> bool:
    """Whether a work-horse of the worker waits for a bell."""
    horses = Path(f"/proc/{worker}/task/{worker}/children").read_text().split()
    return any(Path(f"/proc/{pid}/comm").read_text().strip() == HORSE_WAITS for pid in horses)


def test_workers_give_back_within_30_s_what_takes_longer() -> None:
    """Told to stop, they wait for the job at hand for a while; then it is due again, and no try is lost."""
    with command("rqworkers") as process:
        job = job_make(kind="test.hold", payload={"seconds": 90})
        until(lambda: state_of(job) == JobState.RUNNING)
        begun = time.monotonic()
        process.terminate()
        process.join(40)
        assert process.exitcode == 0
        assert time.monotonic() - begun < 30
    job.refresh_from_db()
    assert (job.state, job.attempts, job.attempts_forgiven) == (JobState.QUEUED, 1, 1)


def test_work_horse_in_waiting_outlives_the_loss_of_its_connection() -> None:
    """The database was started again while it waited: its job is done in the first try."""
    with command("rqworkers"):
        first = job_make(kind="test.pid")
        until(lambda: state_of(first) == JobState.SUCCEEDED)
        first.refresh_from_db()
        worker = (first.result or {})["worker"]
        until(lambda: waiting(worker))
        with psycopg.connect(SERVERS.superuser_url(), autocommit=True) as superuser:
            until(lambda: _ended(superuser) > 0)
        second = job_make(kind="test.pid")
        until(lambda: state_of(second) == JobState.SUCCEEDED)
    assert Job.objects.get(pk=second.pk).attempts == 1


def _ended(superuser: psycopg.Connection) -> int:
    found = superuser.execute(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE application_name LIKE 'cloudscribe-job%' AND state = 'idle'"
    ).fetchone()
    assert found is not None
    return int(found[0])
