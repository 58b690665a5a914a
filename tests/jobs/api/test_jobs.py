"""GET jobs/, GET jobs/{id}/, POST jobs/{id}/cancel/."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.models import User
from audit.models import Event
from cloudscribe.jobs.claims import job_claim, job_fail, job_hold, job_succeed
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.visibility import visible_to
from cloudscribe.lib.actor import Limit
from tests.accounts.factories import user_make
from tests.jobs.factories import job_make, operator, person

ClientFor = Callable[..., Any]

pytestmark = pytest.mark.django_db


def permitted(*codenames: str) -> User:
    """A user with platform permissions of jobs, as roles give them."""
    group = Group.objects.create(name=f"role:{'-'.join(codenames)}")
    given = Permission.objects.filter(content_type__app_label="jobs", codename__in=codenames)
    group.permissions.set(given)
    user = user_make()
    user.groups.add(group)
    return user


def asked_by(user: User, **options: Any) -> Job:
    """A job that the user asked for."""
    return job_make(person(user.uid), **options)


def started(job: Job) -> Job:
    """The job as its worker holds it."""
    got = job_claim(worker="w", uid=job.uid)
    assert got is not None
    return got


def test_read_own_running_job(client_for: ClientFor) -> None:
    """The owner reads every field of the contract."""
    client = client_for()
    job = started(asked_by(client.user, kind="import.run"))
    job_hold(job=job, done=3, total=112)
    answer = client.get(f"jobs/{job.uid}/")
    assert answer.status_code == 200, answer.content
    body = answer.json()
    row = Job.objects.get()
    assert {name: body[name] for name in body if not name.endswith("_at")} == {
        "id": str(job.uid),
        "kind": "import.run",
        "state": "running",
        "progress": {"done": 3, "total": 112},
        "result": None,
        "error": None,
        "attempts": 1,
    }
    assert body["created_at"] == row.created_at.isoformat().replace("+00:00", "Z")
    assert body["started_at"] is not None
    assert body["finished_at"] is None
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_read_own_ended_jobs(client_for: ClientFor) -> None:
    """A result or a reason is there in the end."""
    client = client_for()
    done, failed = started(asked_by(client.user)), started(asked_by(client.user))
    job_succeed(job=done, result={"documents": 112})
    job_fail(actor=operator(), job=failed, code="invalid", error="The archive is empty.")
    assert client.get(f"jobs/{done.uid}/").json()["result"] == {"documents": 112}
    assert client.get(f"jobs/{failed.uid}/").json()["error"] == {
        "code": "invalid",
        "detail": "The archive is empty.",
    }


def test_read_others_job_is_the_404_of_an_absent_one(client_for: ClientFor) -> None:
    """Nobody learns from the answer that somebody else has such a job."""
    client = client_for()
    hidden = client.get(f"jobs/{asked_by(user_make()).uid}/")
    absent = client.get(f"jobs/{uuid.uuid4()}/")
    assert (hidden.status_code, absent.status_code) == (404, 404)
    own = {"instance", "request_id"}
    assert {k: v for k, v in hidden.json().items() if k not in own} == {
        k: v for k, v in absent.json().items() if k not in own
    }


@pytest.mark.parametrize("permission", ["view_all_jobs", "manage_jobs"])
def test_read_others_job_with_the_permission(client_for: ClientFor, permission: str) -> None:
    """Operators see everybody's."""
    assert client_for(permitted(permission)).get(f"jobs/{asked_by(user_make()).uid}/").status_code == 200


@pytest.mark.parametrize("path", ["jobs/", f"jobs/{uuid.UUID(int=1)}/"])
def test_read_anonymous(anonymous: Any, path: str) -> None:
    """Nobody signed in: 401."""
    answer = anonymous.get(path)
    assert (answer.status_code, answer.json()["code"]) == (401, "not_authenticated")


def test_list_own_newest_first(
    client_for: ClientFor, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    """The list holds the own jobs alone."""
    client = client_for()
    asked_by(user_make())
    mine = [asked_by(client.user) for _ in range(3)]
    client.get("jobs/")  # the first request of a process reads the rate limits
    # The sign-in with stamps and clock, the person's platform permissions, the page.
    with django_assert_num_queries(3):
        body = client.get("jobs/").json()
    assert [row["id"] for row in body["results"]] == [str(job.uid) for job in reversed(mine)]
    assert (body["next"], body["previous"]) == (None, None)


def test_list_by_state_and_kind_in_pages(client_for: ClientFor) -> None:
    """Filters narrow, and pages of one reach each row once."""
    client = client_for()
    wanted = [asked_by(client.user, kind="a") for _ in range(2)]
    asked_by(client.user, kind="b")
    started(asked_by(client.user, kind="a"))
    seen = []
    page = client.get("jobs/?state=queued&kind=a&page_size=1").json()
    seen += page["results"]
    page = client.get(page["next"]).json()
    seen += page["results"]
    assert page["next"] is None
    assert {row["id"] for row in seen} == {str(job.uid) for job in wanted}


@pytest.mark.parametrize("query", ["state=lost", "colour=red"])
def test_list_by_nonsense(client_for: ClientFor, query: str) -> None:
    """A filter that isn't one is 400 and named."""
    answer = client_for().get(f"jobs/?{query}")
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["pointer"] == "?" + query.partition("=")[0]


def test_cancel_own_waiting_job(client_for: ClientFor) -> None:
    """What waits is cancelled at once, and the event names the session."""
    client = client_for()
    job = asked_by(client.user)
    answer = client.post(f"jobs/{job.uid}/cancel/")
    assert (answer.status_code, answer.json()["state"]) == (200, "cancelled")
    event = Event.objects.get(action="job.cancelled")
    assert (event.actor_uid, event.credential_kind) == (client.user.uid, "session")
    assert event.request_id == answer.headers["X-Request-ID"]
    assert event.detail.content["address"] == "127.0.0.1"


def test_cancel_own_running_job(client_for: ClientFor) -> None:
    """What runs goes on until its next step; asking twice is fine."""
    client = client_for()
    job = started(asked_by(client.user))
    answers = [client.post(f"jobs/{job.uid}/cancel/") for _ in range(2)]
    assert [(answer.status_code, answer.json()["state"]) for answer in answers] == [(200, "running")] * 2
    assert Event.objects.filter(action="job.cancelled").count() == 1


def test_cancel_own_ended_job(client_for: ClientFor) -> None:
    """What has ended can't be cancelled."""
    client = client_for()
    job = started(asked_by(client.user))
    job_succeed(job=job, result=None)
    answer = client.post(f"jobs/{job.uid}/cancel/")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_finished")
    assert Job.objects.get().state == "succeeded"


@pytest.mark.parametrize(
    ("permissions", "status"), [((), 404), (("view_all_jobs",), 403), (("manage_jobs",), 200)]
)
def test_cancel_others_job(client_for: ClientFor, permissions: tuple[str, ...], status: int) -> None:
    """Hidden is 404, seen but not managed is 403, managed is done."""
    job = asked_by(user_make())
    assert client_for(permitted(*permissions)).post(f"jobs/{job.uid}/cancel/").status_code == status
    assert Job.objects.get().state == ("cancelled" if status == 200 else "queued")


def test_cancel_with_a_body(client_for: ClientFor) -> None:
    """The route takes no properties."""
    client = client_for()
    job = asked_by(client.user)
    answer = client.post(f"jobs/{job.uid}/cancel/", {"why": "x"})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_property")
    assert Job.objects.get().state == "queued"


def test_cut_token_sees_its_own_jobs_alone() -> None:
    """A token cut to a workspace sees neither the owner's other jobs nor everybody's."""
    session = person()
    token = dataclasses.replace(
        session, credential_uid=uuid.uuid4(), limit=Limit(workspace_pk=1), now=timezone.now()
    )
    job_make(session)
    own = job_make(token)
    assert list(visible_to(token, everybodys=True)) == [own]
