"""One process that does several jobs: which, how many, and that none of them sees anything of another."""

from __future__ import annotations

import contextlib
import contextvars
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import structlog
from django.db import DatabaseError, connection
from django.utils import translation
from pytest_django import Settings

from cloudscribe.jobs import runner
from cloudscribe.jobs.bell import bell_take, bells, ring
from cloudscribe.jobs.claims import job_claim, job_succeed
from cloudscribe.jobs.exceptions import JobTimedOut
from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.registry import Handler
from cloudscribe.jobs.run import JobRun
from cloudscribe.jobs.runner import job_run
from cloudscribe.jobs.shifts import Shift, shift_begin
from cloudscribe.lib.actor import current_actor, set_actor
from cloudscribe.lib.context import current_context
from tests.jobs.factories import back_date, job_make, person, soon
from tests.jobs.kinds import kind, raising

pytestmark = pytest.mark.django_db(transaction=True)


def shift_work(job: Job, dismissed: Callable[[], bool] = lambda: False) -> None:
    """What a process does that is given the bell of the job."""

    def work() -> None:
        shift_begin(Shift(dismissed=dismissed))
        job_run(job.queue, str(job.uid))

    bell_take(job.queue)
    contextvars.copy_context().run(work)


def states() -> list[str]:
    """Where all jobs stand, in the order in which they were asked for."""
    return list(Job.objects.order_by("id").values_list("state", flat=True))


def leave(sql: str) -> Handler:
    """A handler that sends something to the server, whatever comes of it."""

    def handle(run: JobRun) -> None:
        with contextlib.suppress(DatabaseError), connection.cursor() as cursor:
            cursor.execute(sql)

    return handle


def test_shift_does_what_is_due_in_its_queue() -> None:
    """The bell's job, then the longest due; neither another queue's nor what is to run later."""
    done: list[int] = []
    with kind(lambda run: done.append(run.job.pk)):
        named, second, first = job_make(), job_make(), job_make()
        other, later = job_make(queue="slow"), job_make(run_at=soon())
        back_date(first, 60, "run_at")
        shift_work(named)
    assert done == [named.pk, first.pk, second.pk]
    assert set(Job.objects.filter(state=JobState.QUEUED)) == {other, later}
    assert (bells("fast"), bells("slow")) == (0, 1)


def test_shift_does_what_has_no_bell() -> None:
    """What Redis forgot, or was put off and is due by now, needn't wait for the sweep."""
    with kind(lambda run: None):
        named, forgotten = job_make(), job_make(run_at=soon())
        back_date(forgotten, 7200, "run_at")
        shift_work(named)
    assert states() == ["succeeded", "succeeded"]


def test_shift_takes_away_bells_of_jobs_that_are_done() -> None:
    """One bell too many costs a look, not a process."""
    with kind(lambda run: None):
        named = job_make()
        for _ in range(3):
            ring("fast", named.uid)
        shift_work(named)
    assert bells("fast") == 0
    assert Job.objects.get().attempts == 1


def test_shift_loses_no_bell_that_rings_at_its_last_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that is asked for while the process ends has its bell for the next one."""
    asked: list[Job] = []

    def claim(**which: Any) -> Job | None:
        found = job_claim(**which)
        if found is None and not asked and "uid" not in which:
            asked.append(job_make())
        return found

    monkeypatch.setattr(runner, "job_claim", claim)
    with kind(lambda run: None):
        shift_work(job_make())
    asked[0].refresh_from_db()
    assert (asked[0].state, bells("fast")) == (JobState.QUEUED, 1)


def test_shift_goes_on_without_redis(redis_gone: None) -> None:
    """Bells that can't be taken are not waited for."""
    with kind(lambda run: None):
        named = job_make()
        job_make()
        shift_work(named)
    assert states() == ["succeeded", "succeeded"]


@pytest.mark.parametrize(
    ("setting", "most", "done"), [("JOBS_A_PROCESS", 2, 2), ("JOB_PROCESS_SECONDS", 1e-6, 1)]
)
def test_shift_ends_by_number_and_by_time(setting: str, most: float, done: int, settings: Settings) -> None:
    """What is left keeps its bells."""
    setattr(settings, setting, most)
    with kind(lambda run: None):
        named, *_ = [job_make() for _ in range(4)]
        shift_work(named)
    assert states() == ["succeeded"] * done + ["queued"] * (4 - done)
    assert bells("fast") == 4 - done


def test_shift_ends_when_its_worker_is_told_to_stop() -> None:
    """The job at hand is the last."""
    told: list[int] = []
    with kind(lambda run: told.append(1)):
        named, _ = job_make(), job_make()
        shift_work(named, dismissed=lambda: bool(told))
    assert states() == ["succeeded", "queued"]
    assert bells("fast") == 1


def test_run_without_a_shift_does_one_job() -> None:
    """A process that nobody can call back does the bell's alone."""
    with kind(lambda run: None):
        named, _ = job_make(), job_make()
        job_run("fast", str(named.uid))
    assert states() == ["succeeded", "queued"]


@pytest.mark.parametrize(
    ("handle", "first"),
    [
        pytest.param(raising(JobTimedOut()), "queued", id="broken off"),
        pytest.param(raising(ValueError()), "queued", id="an error of ours"),
        pytest.param(leave("SELECT pg_terminate_backend(pg_backend_pid())"), "queued", id="connection lost"),
        pytest.param(leave("BEGIN"), "running", id="transaction left open"),
    ],
)
def test_shift_ends_with_a_job_that_left_harm(handle: Handler, first: str) -> None:
    """The next job finds a new process, and its connection."""
    with kind(handle, name="test.harm"), kind(lambda run: None):
        named, waiting = job_make(kind="test.harm"), job_make()
        shift_work(named)
    connection.close()
    assert (states(), bells("fast")) == ([first, "queued"], 1)
    assert Job.objects.get(pk=waiting.pk).attempts == 0


def test_shift_ends_where_the_server_has_closed_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two jobs that is no fault of either; RQ needn't hear of it."""

    def lose(queue: str) -> bool:
        connection.connection.pgconn.finish()
        return bell_take(queue)

    monkeypatch.setattr(runner, "bell_take", lose)
    with kind(lambda run: None):
        named, _ = job_make(), job_make()
        shift_work(named)
    connection.close()
    assert states() == ["succeeded", "queued"]


def test_shift_tells_rq_of_an_outcome_that_could_not_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the second job as of the first: the bell is found among those that failed, with the error."""

    def succeed(*, job: Job, result: Any) -> bool:
        if job.pk != named.pk:
            raise DatabaseError
        return job_succeed(job=job, result=result)

    monkeypatch.setattr(runner, "job_succeed", succeed)
    monkeypatch.setattr(runner, "_tried", lambda *_: raising(DatabaseError())(None))
    with kind(lambda run: None):
        named, _ = job_make(), job_make()
        with pytest.raises(DatabaseError):
            shift_work(named)
    assert states() == ["succeeded", "running"]


def test_shift_shows_no_job_anything_of_the_one_before(settings: Settings) -> None:
    """Who acts, the request, the language and what the log was told begin anew with each."""
    seen: list[tuple[object, ...]] = []

    def handle(run: JobRun) -> None:
        seen.append(
            (
                current_actor() is run.actor,
                current_context().request_id == run.job.request_id,
                current_context().queries,
                translation.get_language(),
                structlog.contextvars.get_contextvars(),
            )
        )
        set_actor(person(uuid.uuid4()))
        translation.activate("de")
        structlog.contextvars.bind_contextvars(left="behind")

    with kind(handle):
        named, _ = job_make(), job_make()
        shift_work(named)
    assert seen == [(True, True, 0, settings.LANGUAGE_CODE, {})] * 2
    assert current_actor() is None
