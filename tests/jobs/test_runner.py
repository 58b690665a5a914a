"""Doing one job, from the claim to its outcome."""

from __future__ import annotations

import threading
import time
import uuid
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from audit.models import Event
from cloudscribe.jobs import ports
from cloudscribe.jobs.claims import Hold, job_claim, jobs_give_back
from cloudscribe.jobs.exceptions import CredentialRevoked
from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.run import JobRun
from cloudscribe.jobs.runner import job_execute, job_run, jobs_drain
from cloudscribe.jobs.services import job_cancel
from cloudscribe.lib.actor import Actor, ActorKind, CredentialKind, current_actor
from cloudscribe.lib.context import current_context
from cloudscribe.lib.errors import InvalidInput, ServiceUnavailable
from tests.jobs.factories import back_date, claimed, job_make, operator, person
from tests.jobs.kinds import kind, raising

pytestmark = pytest.mark.django_db


@pytest.fixture
def rebuilt(monkeypatch: pytest.MonkeyPatch) -> list[ports.StoredActor]:
    """The floors above answer who a stored actor is now; gives what they were asked."""
    asked: list[ports.StoredActor] = []

    def rebuild(stored: ports.StoredActor, *, job_uid: uuid.UUID, now: Any) -> Actor:
        asked.append(stored)
        return person(
            stored.uid, name="Ann of now", credential_kind=CredentialKind.JOB, credential_uid=job_uid
        )

    monkeypatch.setattr(ports.actor_rebuilder, "_provider", rebuild)
    return asked


def test_run_success() -> None:
    """What the handler returns is the result; the payload comes in."""
    with kind(lambda run: {"doubled": run.payload["n"] * 2}):
        job = job_make(payload={"n": 21})
        job_run("fast", str(job.uid))
    job.refresh_from_db()
    assert (job.state, job.result, job.error_code) == (JobState.SUCCEEDED, {"doubled": 42}, "")
    assert job.finished_at is not None
    assert job.lease_until is None
    assert not Event.objects.exists()


def test_run_for_a_person(rebuilt: list[ports.StoredActor]) -> None:
    """A job runs for who asked, with the rights of now, under the request's id."""
    seen: list[Any] = []
    asker = person()
    with kind(lambda run: seen.extend([current_actor(), run.actor, current_context().request_id])):
        job = job_make(asker)
        job_run("fast", str(job.uid))
    assert [stored.uid for stored in rebuilt] == [asker.uid]
    actor, of_run, request_id = seen
    assert actor is of_run
    assert (actor.name, actor.credential_kind, actor.credential_uid) == (
        "Ann of now",
        CredentialKind.JOB,
        job.uid,
    )
    assert request_id == job.request_id
    assert current_actor() is None


def test_run_for_nobody_asks_nobody(rebuilt: list[ports.StoredActor]) -> None:
    """What an operator or a schedule asked for needs no person."""
    seen: list[Actor] = []
    with kind(lambda run: seen.append(run.actor)):
        job = job_make(operator())
        job_run("fast", str(job.uid))
    assert rebuilt == []
    assert (seen[0].kind, seen[0].credential_uid) == (ActorKind.JOB, job.uid)


def test_run_with_a_revoked_credential(monkeypatch: pytest.MonkeyPatch) -> None:
    """A job whose session was revoked before the claim fails for good, on the record, undone."""

    def refuse(stored: ports.StoredActor, *, job_uid: uuid.UUID, now: Any) -> Actor:
        raise CredentialRevoked

    monkeypatch.setattr(ports.actor_rebuilder, "_provider", refuse)
    called: list[int] = []
    asker = person()
    with kind(lambda run: called.append(1)):
        job = job_make(asker)
        job_run("fast", str(job.uid))
    job.refresh_from_db()
    assert (job.state, job.error_code, called) == (JobState.FAILED, "credential_revoked", [])
    event = Event.objects.get()
    assert (event.action, event.actor_uid, event.credential_kind) == ("job.failed", asker.uid, "job")


def test_run_without_anybody_who_knows_people(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that nobody fills refuses."""
    monkeypatch.setattr(ports.actor_rebuilder, "_provider", None)
    with kind(lambda run: None):
        job = job_make(person())
        job_run("fast", str(job.uid))
    job.refresh_from_db()
    assert job.error_code == "credential_revoked"


def test_run_refused_by_a_rule() -> None:
    """A refusal of the domain is final: trying again would give the same."""
    with kind(raising(InvalidInput("The archive is empty."))):
        job = job_make()
        job_run("fast", str(job.uid))
    job.refresh_from_db()
    assert (job.state, job.error_code, job.error) == (JobState.FAILED, "invalid", "The archive is empty.")
    assert Event.objects.get().facts == {"kind": job.kind, "attempts": 1}


def test_run_with_a_dependency_away() -> None:
    """A dependency that is away is tried again later, with no event."""
    with kind(raising(ServiceUnavailable())):
        job = job_make()
        job_run("fast", str(job.uid))
    job.refresh_from_db()
    assert (job.state, job.error_code, job.attempts) == (JobState.QUEUED, "unavailable", 1)
    assert job.run_at > job.created_at
    assert not Event.objects.exists()


def test_run_that_breaks_tells_no_inside() -> None:
    """An error of ours shows neither its class nor its words to the job's owner."""
    with kind(raising(ValueError("SELECT secret FROM somewhere"))):
        job = job_make()
        job_run("fast", str(job.uid))
    job.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.QUEUED, "internal")
    assert "SELECT" not in job.error
    assert "ValueError" not in job.error


def test_run_breaks_to_the_last_try() -> None:
    """The last try's failure is the job's."""
    with kind(raising(ValueError()), max_attempts=2):
        job = job_make()
        for _ in range(2):
            job_run("fast", str(job.uid))
            back_date(job, 600, "run_at")
    job.refresh_from_db()
    assert (job.state, job.attempts) == (JobState.FAILED, 2)
    assert Event.objects.get().action == "job.failed"


def test_run_of_an_unknown_kind() -> None:
    """A kind that no app knows fails at once and says so."""
    job = job_make(kind="no.such")
    job_run("fast", str(job.uid))
    job.refresh_from_db()
    assert (job.state, job.error_code) == (JobState.FAILED, "unknown_kind")


@pytest.mark.django_db(transaction=True)
def test_run_beyond_its_time() -> None:
    """A try that takes longer than its kind may is ended and counts as failed."""

    def endless(run: JobRun) -> None:
        threading.Event().wait(30)

    started = time.monotonic()
    with kind(endless, timeout=1):
        job = job_make()
        job_run("fast", str(job.uid))
    job.refresh_from_db()
    assert time.monotonic() - started < 10
    assert (job.state, job.error_code) == (JobState.QUEUED, "timeout")


def test_run_of_a_bell_for_a_taken_job_does_the_next() -> None:
    """A bell that names a taken job serves the queue's next one, never another queue's."""
    with kind(lambda run: {}):
        taken, other, waiting = claimed(), job_make(queue="slow"), job_make()
        job_run("fast", str(taken.uid))
    states = {job.pk: job.state for job in Job.objects.all()}
    assert states == {taken.pk: "running", other.pk: "queued", waiting.pk: "succeeded"}


def test_drain_does_all_that_is_due() -> None:
    """Without bells a process does the queue's due jobs one after the other."""
    with kind(lambda run: {}):
        job_make()
        job_make()
        jobs_drain("fast", goes_on=lambda: True)
    assert set(Job.objects.values_list("state", flat=True)) == {"succeeded"}


def test_drain_does_what_was_given_back_meanwhile() -> None:
    """A job that became due long before the last one is not passed over."""
    done = []

    def handle(run: JobRun) -> dict[str, Any]:
        if not done:
            back_date(job_make(), 60, "run_at")
        done.append(run.job.pk)
        return {}

    with kind(handle):
        job_make()
        jobs_drain("fast", goes_on=lambda: True)
    assert len(done) == 2


def test_run_that_loses_its_lease_writes_nothing() -> None:
    """A worker that was thought dead and comes back leaves the new worker's job alone."""

    def slow(run: JobRun) -> dict[str, str]:
        jobs_give_back(workers=[run.job.claimed_by])
        assert job_claim(worker="new", uid=run.job.uid) is not None
        return {"by": "old"}

    with kind(slow):
        job_execute(claimed("old"))
    row = Job.objects.get()
    assert (row.state, row.claimed_by, row.result) == (JobState.RUNNING, "new", None)


@pytest.mark.django_db(transaction=True)
def test_progress_is_seen_at_once() -> None:
    """Progress is in the row while the job runs."""
    seen: list[tuple[int, int | None]] = []

    def handle(run: JobRun) -> None:
        run.progress(2, 7)
        row = Job.objects.get()
        seen.append((row.progress_done, row.progress_total))

    with kind(handle):
        job_execute(claimed())
    assert seen == [(2, 7)]


@pytest.mark.django_db(transaction=True)
def test_cancel_of_a_running_job_stops_it_at_its_next_step() -> None:
    """A running job ends as cancelled at the step after the request, and the request is on the record."""
    steps: list[int] = []

    def handle(run: JobRun) -> None:
        for step in range(3):
            steps.append(step)
            if step == 1:
                job_cancel(actor=operator(), job=run.job)
            run.progress(step, step)

    with kind(handle):
        job_execute(claimed())
    row = Job.objects.get()
    assert (row.state, steps) == (JobState.CANCELLED, [0, 1])
    assert row.finished_at is not None
    assert [event.action for event in Event.objects.all()] == ["job.cancelled"]


@pytest.mark.django_db(transaction=True)
def test_heartbeat_extends_the_lease_of_a_silent_handler(settings: Settings) -> None:
    """A handler that tells no progress keeps its lease all the same."""
    settings.JOB_LEASE = 0.3
    ends: list[Any] = []

    def handle(run: JobRun) -> None:
        first = run.job.lease_until
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and (not ends or ends[-1] == first):
            ends.append(Job.objects.get().lease_until)

    with kind(handle):
        job_execute(claimed())
    assert ends[-1] > ends[0]
    assert Job.objects.get().state == JobState.SUCCEEDED


@pytest.mark.django_db(transaction=True)
def test_heartbeat_notices_that_the_job_was_taken(settings: Settings) -> None:
    """The next progress of a job that another worker took ends the old try without a trace."""
    settings.JOB_LEASE = 0.2
    reached: list[str] = []

    def handle(run: JobRun) -> None:
        jobs_give_back(workers=[run.job.claimed_by])
        deadline = time.monotonic() + 5
        while run.hold is Hold.HELD and time.monotonic() < deadline:
            threading.Event().wait(0.02)
        run.progress(1)
        reached.append("after")

    with kind(handle):
        job_execute(claimed())
    connection.close()
    assert reached == []
    assert Job.objects.get().state == JobState.QUEUED
