"""POST users/{id}/erase/: what the trail holds of a deleted person goes, and the trail stays whole."""

from __future__ import annotations

import io
import pathlib
from typing import Any

import pytest
from auditlog.models import LogEntry
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from accounts.roles import ADMINISTRATOR
from audit.models import Event, EventDetail
from audit.services import events_seal
from cloudscribe.jobs.registry import autoload
from cloudscribe.jobs.runner import job_run
from tests.accounts.factories import user_make
from tests.documents.world import World
from tests.fixtures import ApiClient, client_make

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def data(settings: Any, tmp_path: pathlib.Path) -> None:
    """A data folder of the test's own; workers know all kinds of jobs."""
    autoload()
    settings.DATA_DIR = tmp_path


@pytest.fixture
def administrator() -> ApiClient:
    """Somebody who may delete and erase, with a fresh proof."""
    return client_make(user_make(role=ADMINISTRATOR))


def deleted(administrator: ApiClient, world: World) -> User:
    """A person who wrote something, was shared something, and was deleted."""
    person = world.member("editor")
    assert person.user is not None
    world.document("Words", by=person)
    answer = administrator.post(f"users/{person.user.uid}/delete/", {})
    assert answer.status_code == 204, answer.content
    return User.objects.get(pk=person.user.pk)


def erase(administrator: ApiClient, person: User) -> dict[str, Any]:
    """The job's end."""
    answer = administrator.post(f"users/{person.uid}/erase/", {"reason": "They asked for it"})
    assert answer.status_code == 202, answer.content
    job_run("slow", answer.json()["id"])
    job: dict[str, Any] = administrator.get(f"jobs/{answer.json()['id']}/").json()
    return job


def test_erase_leaves_nothing_personal(administrator: ApiClient) -> None:
    """No event's detail, no field diff holds the name or address; events say that they were erased."""
    world = World(client_make)
    person = deleted(administrator, world)
    name = Event.objects.filter(actor_uid=person.uid).select_related("detail")[0].detail.content["actor"]
    assert EventDetail.objects.filter(body__contains=f'"{name}"').exists()
    job = erase(administrator, person)
    assert job["state"] == "succeeded", job
    left = EventDetail.objects.select_related("event").filter(body__contains=f'"{name}"')
    assert [(row.event.action, row.body) for row in left] == []
    assert not EventDetail.objects.filter(body__contains=f'"{name}"').exists()
    assert not LogEntry.objects.filter(object_repr__contains=name).exists()
    number = Event.objects.filter(actor_uid=person.uid).earliest("sequence").sequence
    shown = administrator.get(f"audit/events/{number}/").json()
    assert (shown["erased"], shown["actor"]["name"], shown["address"]) == (True, None, None)


def test_erased_trail_verifies(administrator: ApiClient) -> None:
    """Events sealed before keep their leaves, and the erasure's own event says which details are gone."""
    person = deleted(administrator, World(client_make))
    events_seal()
    job = erase(administrator, person)
    events_seal()
    out = io.StringIO()
    call_command("verify_audit", stdout=out)
    assert out.getvalue().endswith(f"of {job['result']['events']} the personal part was erased.\n")
    erasure = Event.objects.select_related("detail").get(action="person.erased")
    assert len(erasure.facts["sequences"]) == job["result"]["events"]
    assert erasure.detail.content["reason"] == "They asked for it"


def test_erase_a_second_time(administrator: ApiClient) -> None:
    """Nothing is left, and no second event says so."""
    person = deleted(administrator, World(client_make))
    erase(administrator, person)
    assert erase(administrator, person)["result"] == {
        "events": 2
    }  # what asked for it and what the first one wrote
    assert Event.objects.filter(action="person.erased").count() == 2


def test_erase_somebody_who_is_still_there(administrator: ApiClient) -> None:
    """The account has to be deleted first."""
    answer = administrator.post(f"users/{user_make().uid}/erase/", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_deleted")


def test_erase_under_a_legal_hold(administrator: ApiClient) -> None:
    """What is held is not forgotten, neither now nor by a job that was asked for before."""
    world = World(client_make)
    person = deleted(administrator, world)
    waiting = administrator.post(f"users/{person.uid}/erase/", {}).json()["id"]
    world.ok(administrator.post(f"workspaces/{world.workspace}/holds/", {"reason": "A lawsuit"}), 201)
    answer = administrator.post(f"users/{person.uid}/erase/", {})
    assert (answer.status_code, answer.json()["code"]) == (423, "legal_hold")
    job_run("slow", waiting)
    assert administrator.get(f"jobs/{waiting}/").json()["state"] == "failed"
    assert not Event.objects.filter(action="person.erased").exists()


def test_erase_by_who_may_only_read_the_trail() -> None:
    """An auditor reads; nothing goes by their hand."""
    auditor = client_make(user_make(role="auditor"))
    assert auditor.post(f"users/{user_make().uid}/erase/", {}).status_code == 403


def test_function_refuses_who_is_still_there() -> None:
    """Not even the application's own code erases the living, or deletes a detail by itself."""
    person = user_make()
    with pytest.raises(DatabaseError, match="only what concerns a deleted person"), transaction.atomic():
        connection.cursor().execute("SELECT cs_audit_erase(%s, '{}')", [person.uid])
    with pytest.raises(DatabaseError, match="permission denied"), transaction.atomic():
        connection.cursor().execute("SET LOCAL cloudscribe.erasing = 'on'; DELETE FROM audit_eventdetail")
