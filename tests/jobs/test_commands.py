"""`manage.py jobs`, and the purge of ended jobs."""

from __future__ import annotations

import datetime as dt
import io
import uuid
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import Event
from cloudscribe.jobs.claims import job_fail
from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.queues import PURGE
from cloudscribe.jobs.registry import autoload
from cloudscribe.jobs.runner import job_run
from tests.jobs.factories import claimed, job_make, operator

pytestmark = pytest.mark.django_db


def said(*words: Any) -> str:
    """What the command prints."""
    out = io.StringIO()
    call_command("jobs", *map(str, words), stdout=out)
    return out.getvalue()


def refused(*words: Any) -> tuple[int, str]:
    """The exit code of a command that ends with an error, and what it printed before."""
    out = io.StringIO()
    with pytest.raises(CommandError) as error:
        call_command("jobs", *map(str, words), stdout=out)
    return error.value.returncode, out.getvalue()


def failed(kind: str = "mail.send") -> Job:
    """A job that has failed."""
    job = claimed(kind=kind)
    job_fail(actor=operator(), job=job, code="internal", error="x")
    return job


def test_list_shows_the_newest_first() -> None:
    """One line a job, narrowed by state and kind."""
    waiting, broken = job_make(kind="a"), failed(kind="b")
    assert [line.split()[0] for line in said("list").splitlines()] == [str(broken.uid), str(waiting.uid)]
    assert said("list", "--state", "failed").split()[:2] == [str(broken.uid), "failed"]
    assert said("list", "--kind", "none") == ""


def test_without_a_word_it_lists() -> None:
    """`manage.py jobs` by itself shows the newest."""
    job = job_make()
    assert said().split()[0] == str(job.uid)


def test_retry_of_all_failed_ones_of_a_kind() -> None:
    """Only the named kind is queued again, by the operator on the record."""
    mail, other = failed(), failed(kind="other")
    assert said("retry", "--failed", "--kind", "mail.send") == f"{mail.uid}  queued\n"
    assert {job.uid: job.state for job in Job.objects.all()} == {
        mail.uid: JobState.QUEUED,
        other.uid: JobState.FAILED,
    }
    assert Event.objects.get(action="job.retried").actor_kind == "command"


def test_retry_of_what_can_not_be() -> None:
    """What was left alone is told, and the exit code is 1."""
    job, nothing = job_make(), uuid.uuid4()
    code, text = refused("retry", job.uid, nothing)
    assert code == 1
    assert text.splitlines() == [f"{job.uid}  The job has not failed.", f"{nothing}  not found"]


@pytest.mark.parametrize("words", [["retry"], ["retry", str(uuid.UUID(int=1)), "--failed"]])
def test_retry_of_nothing_or_both(words: list[str]) -> None:
    """Used wrongly: exit code 2."""
    assert refused(*words)[0] == 2


def test_cancel_by_the_operator() -> None:
    """Any job can be cancelled at the shell."""
    job = job_make()
    assert said("cancel", job.uid) == f"{job.uid}  cancelled\n"


def test_stats_tell_of_failures() -> None:
    """The queues in numbers; failed jobs give exit code 1."""
    job_make()
    assert said("stats") == (
        "fast: 1 queued (the oldest due for 0 s), 0 running, 0 failed\n"
        "slow: 0 queued (the oldest due for 0 s), 0 running, 0 failed\n"
    )
    failed()
    assert refused("stats")[0] == 1


def test_purge_removes_what_ended_long_ago() -> None:
    """Ended jobs go after their retention, others stay."""
    autoload()
    old, fresh, waiting = failed(), failed(), job_make()
    Job.objects.filter(pk=old.pk).update(finished_at=timezone.now() - dt.timedelta(days=31))
    purge = job_make(kind=PURGE)
    job_run("fast", str(purge.uid))
    purge.refresh_from_db()
    assert (purge.state, purge.result) == (JobState.SUCCEEDED, {"removed": 1, "files": 0})
    assert set(Job.objects.values_list("pk", flat=True)) == {fresh.pk, waiting.pk, purge.pk}
