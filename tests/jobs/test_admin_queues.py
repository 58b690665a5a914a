"""RQ's pages in the admin: for superusers alone, on the record, and no way to lose a job."""

from __future__ import annotations

import os
import pathlib
import pickle
import time
import uuid
from collections.abc import Iterator
from typing import Any

import django_rq
import pytest
from django.conf import settings
from django.contrib import admin
from django.test import Client
from django_rq.models import Dashboard
from rq.job import Job as Bell
from rq.job import JobStatus
from rq.registry import FailedJobRegistry, StartedJobRegistry

from accounts.models import Session
from audit.models import Event
from cloudscribe.jobs.admin_queues import QueuesAdmin
from cloudscribe.jobs.bell import bells, ring
from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.sweeper import bells_mend
from tests.accounts.factories import user_make
from tests.accounts.test_admin_people import clerk
from tests.accounts.test_admin_sign_in import staff_client, staff_make
from tests.fixtures import client_make
from tests.jobs.factories import back_date, job_make
from tests.jobs.processes import command
from tests.jobs.test_pool import state_of, until

pytestmark = pytest.mark.django_db
HOME = "/admin/django_rq/dashboard/"
FAST = f"{HOME}queues/0/"


@pytest.fixture
def browser() -> Client:
    """An administrator at the admin."""
    return staff_client(staff_make())[0]


def job_rung_for() -> Job:
    """A job whose bell hangs in the fast queue."""
    job = job_make()
    assert ring("fast", job.uid)
    return job


def hanging() -> Bell:
    """The one bell of the fast queue."""
    (bell,) = django_rq.get_queue("fast").jobs
    return bell


def failed() -> Bell:
    """The bell of a job, whose worker could not even begin."""
    job_rung_for()
    bell = hanging()
    queue = django_rq.get_queue("fast")
    queue.connection.lrem(queue.key, 0, bell.id)
    bell.set_status(JobStatus.FAILED)
    FailedJobRegistry(queue=queue).add(bell, ttl=600)
    return bell


def pages(bell: str) -> Iterator[str]:
    """The address of every page, filled in."""
    known = {"queue_index": "0", "job_id": bell, "result_id": "1", "key": "worker", "connection_index": "0"}
    for pattern in QueuesAdmin(Dashboard, admin.site).get_urls():
        route = str(pattern.pattern)
        for name in pattern.pattern.converters:
            route = route.replace(f"<int:{name}>", known.get(name, "x"))
            route = route.replace(f"<str:{name}>", known.get(name, "x")).replace(f"<path:{name}>", "x")
        yield HOME + route


def events() -> list[tuple[str, list[str]]]:
    """What is on the record about queues."""
    rows = Event.objects.filter(action__startswith="queue.").order_by("sequence")
    return [(row.action, row.facts["bells"]) for row in rows]


def test_pages_are_for_superusers_alone() -> None:
    """Nobody else finds any of them, staff with every permission of theirs included; nor do they act."""
    job_rung_for()
    bell = hanging().id
    staff = clerk("admin", "view_job", "manage_jobs", "view_all_jobs")
    stranger, member = Client(), Client()
    member.force_login(user_make(), backend="accounts.backends.PasswordBackend")
    token = Client(headers={"Authorization": f"Bearer {client_make(staff_make()).token}"})
    found = list(pages(bell))
    assert len(found) > 20
    for path in found:
        for method in ("get", "post"):
            assert getattr(staff, method)(path).status_code == 404, path
            for outside in (stranger, member, token):
                assert getattr(outside, method)(path).status_code == 302, path
    assert bells("fast") == 1
    assert events() == []


def test_link_is_shown_to_superusers_alone(browser: Client) -> None:
    """The first page of the admin leads others nowhere that is closed to them."""
    assert HOME in browser.get("/admin/").content.decode()
    assert HOME not in clerk("admin", "view_job").get("/admin/").content.decode()


@pytest.mark.parametrize("name", ["stats.json/token", "stats.json/token/", "schedulers/0/"])
def test_no_page_opens_by_a_token(name: str, settings: Any) -> None:
    """The doors that django-rq has for machines are not there."""
    settings.RQ_API_TOKEN = "token"
    client = Client(headers={"Authorization": "Bearer token"})
    assert client.get(HOME + name).status_code in {302, 404}
    assert staff_client(staff_make())[0].get(HOME + name).status_code == 404


def test_ended_session_opens_nothing(browser: Client) -> None:
    """The admin's door stands before all of them."""
    assert browser.get(HOME).status_code == 200
    Session.objects.update(revoked_at="2026-01-01T00:00:00Z", revoked_reason="test")
    assert browser.get(HOME).status_code == 302


def test_pages_show_the_queues_and_their_bells(browser: Client) -> None:
    """Each page that there is something for answers; what hangs is told by ids."""
    job = job_rung_for()
    bell = hanging().id
    lists = ("finished", "failed", "started", "deferred", "scheduled")
    sites = ["", "queues/0/", "queues/1/", "queues/0/details/", "workers/0/", "stats.json", "metrics"]
    for path in [*sites, *(f"queues/0/{name}/" for name in lists), f"queues/0/{bell}/"]:
        assert browser.get(HOME + path).status_code == 200, path
    assert bell in browser.get(FAST).content.decode()
    assert str(job.uid) in browser.get(f"{FAST}{bell}/").content.decode()
    told = browser.get(f"{HOME}stats.json").json()["queues"]
    assert [(queue["name"], queue["jobs"]) for queue in told] == [("fast", 1), ("slow", 0)]


@pytest.mark.parametrize("path", ["queues/7/", "queues/0/{0}/", "queues/0/{0}/delete/", "workers/9/"])
def test_page_of_what_is_not_there_is_404(browser: Client, path: str) -> None:
    """Queues by a number of none, and bells that were answered meanwhile."""
    assert browser.get(HOME + path.format(uuid.uuid4())).status_code == 404


def test_emptied_queue_loses_no_job(browser: Client) -> None:
    """The bells go, the job stays and is rung for again; the record says who did it."""
    job = job_rung_for()
    assert browser.get(f"{FAST}empty/").status_code == 200
    assert bells("fast") == 1
    assert browser.post(f"{FAST}empty/").status_code == 302
    assert (bells("fast"), events()) == (0, [("queue.emptied", [])])
    assert Job.objects.get().state == JobState.QUEUED
    back_date(job, 5, "run_at")
    assert bells_mend()
    assert hanging().args == ["fast", str(job.uid)]


def test_deleted_bell_loses_no_job(browser: Client) -> None:
    """As with all of them at once."""
    job = job_rung_for()
    bell = hanging().id
    assert browser.post(f"{FAST}{bell}/delete/").status_code == 302
    assert (bells("fast"), events()) == (0, [("queue.bells_deleted", [bell])])
    back_date(job, 5, "run_at")
    assert bells_mend()
    assert hanging().args == ["fast", str(job.uid)]


def test_chosen_bells_are_deleted_after_a_question(browser: Client) -> None:
    """The list's action asks back first, which is no change yet."""
    job_rung_for()
    bell = hanging().id
    asked = browser.post(f"{HOME}queues/confirm-action/0/", {"action": "delete", "_selected_action": [bell]})
    assert bell in asked.content.decode()
    assert (bells("fast"), events()) == (1, [])
    answer = browser.post(f"{HOME}queues/actions/0/", {"action": "delete", "job_ids": [bell]})
    assert answer.headers["Location"] == FAST
    assert (bells("fast"), events()) == (0, [("queue.bells_deleted", [bell])])


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_stopped_bell_loses_no_job(browser: Client) -> None:
    """Its process is killed at once; the job is done by another one when its lease has run out."""
    with command("rqworkers", JOB_LEASE=2), command("scheduler", JOB_BACKOFF=0.1):
        job = job_make(kind="test.hold", payload={"seconds": 3})
        until(lambda: state_of(job) == JobState.RUNNING)
        (bell,) = StartedJobRegistry(queue=django_rq.get_queue("fast")).get_job_ids()
        assert browser.post(f"{FAST}{bell}/stop/").status_code == 302
        until(lambda: state_of(job) == JobState.SUCCEEDED)
    job.refresh_from_db()
    assert (job.attempts, events()) == (2, [("queue.bells_stopped", [bell])])


def test_failed_bell_is_rung_again_and_cleared(browser: Client) -> None:
    """One, then all; what failed says why on its page."""
    bell = failed().id
    assert bell in browser.get(f"{FAST}failed/").content.decode()
    assert browser.post(f"{FAST}{bell}/requeue/").status_code == 302
    assert bells("fast") == 1
    django_rq.get_queue("fast").empty()
    again, more = failed().id, FailedJobRegistry(queue=django_rq.get_queue("fast"))
    assert again in more.get_job_ids()
    assert browser.post(f"{FAST}requeue-all/").status_code == 302
    assert bells("fast") == 1
    django_rq.get_queue("fast").empty()
    failed()
    assert browser.post(f"{FAST}failed/clear/").status_code == 302
    assert more.get_job_ids() == []
    assert [action for action, _ in events()] == [
        "queue.bells_requeued",
        "queue.failed_requeued",
        "queue.failed_deleted",
    ]
    assert Job.objects.exclude(state=JobState.QUEUED).count() == 0


def test_bell_that_has_not_failed_is_not_rung_again(browser: Client) -> None:
    """The page says so in place of an error."""
    job_rung_for()
    answer = browser.post(f"{FAST}{hanging().id}/requeue/", follow=True)
    assert (answer.status_code, bells("fast")) == (200, 1)


def test_post_without_the_form_s_token_changes_nothing() -> None:
    """Another site can't have a superuser's browser do it."""
    client = Client(enforce_csrf_checks=True)
    client.cookies = staff_client(staff_make())[0].cookies
    job_rung_for()
    assert client.get(HOME).status_code == 200
    assert client.post(f"{FAST}empty/").status_code == 403
    assert (bells("fast"), events()) == (1, [])


@pytest.mark.parametrize("kind", ["referer", "next"])
def test_nobody_is_sent_elsewhere(browser: Client, kind: str) -> None:
    """By what a page or a form says where one came from."""
    evil = "https://evil.example/"
    headers = {"Referer": evil} if kind == "referer" else {}
    page = "confirm-action" if kind == "referer" else "actions"
    answer = browser.post(f"{HOME}queues/{page}/0/", {"next_url": evil}, headers=headers)
    assert answer.headers["Location"] == HOME


class Trap:
    """What runs code where it is unpickled."""

    def __init__(self, sign: pathlib.Path) -> None:
        self.sign = sign

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.sign),)


@pytest.mark.parametrize("column", ["meta", "data", "result"])
def test_what_others_wrote_into_redis_is_not_run(
    browser: Client, tmp_path: pathlib.Path, column: str
) -> None:
    """Whoever can write to Redis lays a bell that no page unpickles."""
    bell, sign = failed(), tmp_path / "ran"
    bell.connection.hset(bell.key, column, pickle.dumps(Trap(sign)))
    browser.raise_request_exception = False
    for path in ("failed/", f"{bell.id}/", "failed/clear/"):
        browser.get(FAST + path)
    browser.post(f"{FAST}failed/clear/")
    assert not sign.exists()


def test_redis_gone_is_told(browser: Client, redis_gone: None) -> None:
    """A page that says what is the matter; nothing is recorded that could not be done."""
    for answer in (browser.get(HOME), browser.get(FAST), browser.post(f"{FAST}empty/")):
        assert answer.status_code == 503
        assert "Redis doesn&#x27;t answer" in answer.content.decode()
    assert events() == []


def test_redis_hung_is_told_in_time(browser: Client, redis_hung: None) -> None:
    """One wait, whatever the page would ask."""
    started = time.monotonic()
    assert browser.get(HOME).status_code == 503
    assert browser.get(FAST).status_code == 503
    assert time.monotonic() - started < 5 * settings.REDIS_TIMEOUT + 2
