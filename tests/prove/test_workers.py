"""Workers at the end and after the loss of their connections: what takes as long as it takes."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections import Counter
from pathlib import Path

import django_rq
import psycopg
import pytest
from rq.registry import FinishedJobRegistry, StartedJobRegistry

from cloudscribe.jobs.bell import bells
from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.processes import HORSE_WAITS, HORSE_WORKS, tell
from tests.conftest import SERVERS
from tests.jobs.factories import job_make
from tests.jobs.processes import command
from tests.jobs.test_pool import state_of, until

pytestmark = pytest.mark.django_db(transaction=True)


def children(parent: int) -> list[int]:
    """The processes that one has forked."""
    return list(map(int, Path(f"/proc/{parent}/task/{parent}/children").read_text().split()))


def horses(worker: int, name: str) -> list[int]:
    """The worker's work-horses that wait, or those that work."""
    found = []
    for pid in children(worker):
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{pid}/comm").read_text().strip() == name:
                found.append(pid)
    return found


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
        until(lambda: bool(horses(worker, HORSE_WAITS)))
        with psycopg.connect(SERVERS.superuser_url(), autocommit=True) as superuser:
            until(lambda: _ended(superuser) > 0)
        second = job_make(kind="test.pid")
        until(lambda: state_of(second) == JobState.SUCCEEDED)
    assert Job.objects.get(pk=second.pk).attempts == 1


def test_work_horse_whose_worker_was_killed_begins_no_other_job() -> None:
    """It ends the job at hand; what waits is for the worker that takes the dead one's place."""
    with command("rqworkers") as pool:
        first = job_make(kind="test.pid")
        until(lambda: state_of(first) == JobState.SUCCEEDED)
        first.refresh_from_db()
        worker = (first.result or {})["worker"]
        held, second = job_make(kind="test.hold", payload={"seconds": 2}), job_make(kind="test.pid")
        until(lambda: state_of(held) == JobState.RUNNING)
        (horse,) = horses(worker, HORSE_WORKS)
        assert pool.pid is not None
        os.kill(pool.pid, signal.SIGSTOP)
        os.kill(worker, signal.SIGKILL)
        until(lambda: not Path(f"/proc/{horse}").exists())
        assert (state_of(held), state_of(second)) == (JobState.SUCCEEDED, JobState.QUEUED)
        os.kill(pool.pid, signal.SIGCONT)
        until(lambda: state_of(second) == JobState.SUCCEEDED)
    second.refresh_from_db()
    assert second.claimed_by != first.claimed_by


def test_jobs_are_done_once_each_while_work_horses_are_killed(tmp_path: Path) -> None:
    """Two workers a queue, each horse killed after a moment: no job is lost, none that was done is again."""
    notes, count = tmp_path / "notes", 600
    for _ in range(count):
        job_make(kind="test.note", payload={"path": str(notes)})
    with (
        command("rqworkers", JOB_LEASE=4.0) as one,
        command("rqworkers", JOB_LEASE=4.0) as other,
        command("scheduler", JOB_BACKOFF=0.1),
    ):
        killed, mine = 0, Job.objects.filter(kind="test.note")

        def all_done() -> bool:
            nonlocal killed
            if killed < 20:
                at_work = [pid for pool in (one, other) for pid in _at_work(pool.pid or 0)]
                tell(at_work, signal.SIGKILL)
                killed += len(at_work)
            return not mine.exclude(state=JobState.SUCCEEDED).exists()

        until(all_done, 300)
        until(lambda: bells("fast") == 0)
        fast = django_rq.get_queue("fast")
        until(lambda: not StartedJobRegistry(queue=fast).get_job_ids())
    assert killed >= 20
    done = Counter(map(int, notes.read_text().split()))
    tries = dict(mine.values_list("pk", "attempts"))
    assert len(tries) == len(done) == count
    # A try that was killed may have come as far as to its note, or not.
    assert all(done[pk] <= tries[pk] for pk in tries)
    assert sum(tries.values()) - count <= killed
    assert len(FinishedJobRegistry(queue=fast)) == 0


def _at_work(pool: int) -> list[int]:
    return [pid for worker in children(pool) for pid in horses(worker, HORSE_WORKS)]


def _ended(superuser: psycopg.Connection) -> int:
    found = superuser.execute(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
        "WHERE application_name LIKE 'cloudscribe-job%' AND state = 'idle'"
    ).fetchone()
    assert found is not None
    return int(found[0])
