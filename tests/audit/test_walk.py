"""Every route that writes and all that the admin does, once: its events against those that are due."""

from __future__ import annotations

import dataclasses
import datetime as dt
import io
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.core.management import call_command, get_commands
from django.db import transaction
from django.test import Client
from pytest_django import DjangoDbBlocker

from accounts.models import Session, User
from audit.models import Event
from audit.services import events
from cloudscribe.jobs.services import job_cancel, job_enqueue
from cloudscribe.lib.admin import StaffAdmin
from documents.models import Document
from tests.accounts.factor_tools import totp_make
from tests.accounts.factories import PASSWORD
from tests.accounts.test_admin_sign_in import staff_client, staff_make
from tests.actors import command as operator
from tests.audit.expected import (
    ADMIN_ACTIONS,
    ADMIN_FIRST,
    ADMIN_FORMS,
    ADMIN_ROWS,
    BODIES,
    COMMANDS,
    EVENTS,
    FIRST,
    NO_EVENT,
    OTHER_COMMANDS,
)
from tests.fixtures import client_make
from tests.permissions.table import ACTORS, TABLE, Row
from tests.permissions.test_table import Stage
from tests.rolled_back import transaction_of_many_tests, undone

SUCCESS, REDIRECT = 300, 302
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
OURS = {"accounts", "audit", "cloudscribe", "documents", "security"}
WRITES = {row.name: row for row in TABLE if row.method != "GET"}
DRY_RUNS = {name for name in WRITES if "dry_run=true" in name}
REFUSALS = {"access.denied", "login.failed", "link.refused"}
# What lies in the workspace is told to its managers and webhooks.
WITHIN = ("workspaces/{workspace}/", "documents/{document}/", "threads/", "comments/", "attachments/")
# Who asks for access can export what they did: it doesn't say whether there is such a document.
NOWHERE = {"access_request.created"}
# The last owner and the last administrator may not leave; the others' calls are told by the first who may.
PREFERRED = ("owner", "administrator", "manager")


@dataclasses.dataclass(frozen=True, slots=True)
class Browser:
    """A member of staff who is signed in to the admin."""

    client: Client
    user: User
    session: Session


def actor_of(row: Row) -> str:
    """Who makes the call: somebody who may, or the owner."""
    first = FIRST.get(row.name)
    answers = WRITES[first.row].answers if first and min(row.answers) >= SUCCESS else row.answers
    may = [name for name, status in zip(ACTORS, answers, strict=True) if status < SUCCESS]
    return next((name for name in PREFERRED if name in may), may[0] if may else "owner")


def succeeds(row: Row) -> bool:
    """Whether the call is anybody's in the permission table, or is made possible here."""
    return min(row.answers) < SUCCESS or row.name in EVENTS


def test_table_holds_every_route_that_writes() -> None:
    """A write that nobody thought about is refused here."""
    succeed = {name for name, row in WRITES.items() if succeeds(row)}
    assert EVENTS.keys() | NO_EVENT.keys() | DRY_RUNS == succeed
    assert not EVENTS.keys() & NO_EVENT.keys()


@pytest.fixture(scope="module")
def stage(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[Stage]:
    """One for all rows: nothing of a row stays."""
    with transaction_of_many_tests(django_db_blocker):
        made = Stage()
        made.clients["second"] = client_make(made.clients["owner"].user)
        yield made


@pytest.fixture(autouse=True)
def ids(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The names of the stage, which a test may change for itself."""
    credentials = stage.clients["second"].credentials
    assert credentials is not None
    own = {**stage.ids, "session": str(credentials.session.uid), "policy": "role:guest"}
    monkeypatch.setattr(stage, "ids", own)
    return own


def call(stage: Stage, row: Row, actor: str) -> tuple[Any, list[Event]]:
    """The answer and the events that it left, oldest first, without refusals."""
    last = Event.objects.latest("sequence").sequence
    answer = stage.answer(row, actor)
    return answer, events_after(last)


def events_after(last: int) -> list[Event]:
    """What was put on the record behind a sequence, oldest first, without refusals."""
    found = Event.objects.filter(sequence__gt=last).exclude(action__in=REFUSALS).order_by("sequence")
    return list(found.select_related("detail"))


def ready(stage: Stage, row: Row, actor: str) -> Row:
    """Do what the row needs, and the row with the body that changes something."""
    stage.prepare(row.setup)
    if first := FIRST.get(row.name):
        answer = stage.answer(WRITES[first.row], actor)
        assert answer.status_code < SUCCESS, answer.content
        if first.name:
            stage.ids[first.name] = answer.json()["id"]
    return dataclasses.replace(row, body=BODIES.get(row.name, row.body))


def strings(found: Any) -> Iterator[str]:
    """Every string of an answer or of facts, keys left out."""
    if isinstance(found, dict | list):
        for value in found.values() if isinstance(found, dict) else found:
            yield from strings(value)
    elif isinstance(found, str):
        yield found


def check_event(event: Event, stage: Stage, actor: str, answer: Any) -> None:
    """Who, by what, from where, in which request, about what, and that before and after differ."""
    client, content = stage.clients[actor], event.detail.content
    if event.actor_kind == "link":
        who = (uuid.UUID(stage.ids["link"]),) * 2
        assert (event.credential_kind, event.actor_uid, event.credential_uid) == ("link", *who)
    else:
        assert client.user is not None
        assert client.credentials is not None
        who = client.user.uid, client.credentials.session.uid
        assert (event.credential_kind, event.actor_uid, event.credential_uid) == ("session", *who)
    assert event.request_id == answer.headers["X-Request-ID"]
    assert (content["address"], bool(event.actor_kind)) == ("127.0.0.1", True)
    assert event.target_uid is not None
    same = [field for field, change in content["changes"].items() if change["before"] == change["after"]]
    assert same == []


def check_silence(event: Event, stage: Stage, answer: Any) -> None:
    """Facts hold nothing personal, and no part a secret."""
    people = {word for pair in User.objects.values_list("email", "name") for word in pair if word}
    words = {*people, "guest@example.org", "somebody@example.org", "127.0.0.1", "203.0.113.0/24"}
    facts = "\n".join(strings(event.facts))
    assert [word for word in words if word in facts] == []
    body = answer.json() if answer.headers.get("Content-Type", "").startswith("application/json") else {}
    told = [body[name] for name in ("secret", "token", "access", "refresh") if body.get(name)]
    tokens = [client.token for client in stage.clients.values() if client.token]
    secrets = [stage.ids["secret"], PASSWORD, "correct-horse-battery-43", *tokens, *told]
    kept = facts + event.detail.body
    assert [secret for secret in secrets if str(secret) in kept] == []


@pytest.mark.parametrize("name", EVENTS)
def test_write_is_on_the_record_once(stage: Stage, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Just the events that are due, with all that they must say; and without them no change.

    The first call's events can't be written: had it changed anything all the same, the second would find
    nothing to do.
    """
    row, actor = WRITES[name], actor_of(WRITES[name])
    with undone():
        changing = ready(stage, row, actor)
        with monkeypatch.context() as patch:
            patch.setattr(events, "_RECORD", "SELECT cs_audit_broken(%s::jsonb)")
            answer, found = call(stage, changing, actor)
        # Of a batch each has an answer of its own, in one of 200.
        assert (b"internal_error" in answer.content, found) == (True, []), answer.content
        answer, found = call(stage, changing, actor)
        assert answer.status_code < SUCCESS, answer.content
        assert tuple(event.action for event in found) == EVENTS[name]
        for event in found:
            check_event(event, stage, actor, answer)
            check_silence(event, stage, answer)
            if row.path.startswith(WITHIN) and event.action not in NOWHERE:
                assert str(event.workspace_uid) == stage.ids["workspace"]


@pytest.mark.parametrize(
    "name", [name for name in WRITES if name not in EVENTS or name in FIRST or name in BODIES]
)
def test_what_changes_nothing_leaves_no_event(stage: Stage, name: str) -> None:
    """Refused, rehearsed, done already, or a mark of one's own: the trail tells of none."""
    with undone():
        stage.prepare(WRITES[name].setup)
        assert call(stage, WRITES[name], actor_of(WRITES[name]))[1] == []


def _label(model: Any) -> str:
    return str(model._meta.label_lower)


def test_table_holds_all_that_the_admin_does() -> None:
    """Actions on lists, and the pages that have a form."""
    actions, forms = set(), set()
    for model, page in admin.site._registry.items():
        actions |= {f"{_label(model)} {name}" for name in page.actions or ()}
        if isinstance(page, StaffAdmin) and page.editable:
            forms.add(_label(model))
    assert (actions, forms) == (set(ADMIN_ACTIONS), set(ADMIN_FORMS))


@pytest.fixture(scope="module")
def staff(stage: Stage) -> Browser:
    """A member of staff at the admin, with all rights."""
    user = staff_make()
    return Browser(staff_client(user)[0], user, Session.objects.get(user=user))


def row_of(stage: Stage, model: str) -> Any:
    """The row that a page of the admin is tried with."""
    rows = apps.get_model(model).objects.all()
    column, name = ADMIN_ROWS.get(model, ("", ""))
    return rows.get(**{column: stage.ids[name]}) if column else rows.first()


def check_staff(found: list[Event], staff: Browser, due: tuple[str, ...], answer: Any) -> None:
    """Just the events that are due, by the staff's session, each in the request that they made."""
    assert tuple(event.action for event in found) == due
    for event in found:
        assert (event.actor_uid, event.credential_uid) == (staff.user.uid, staff.session.uid)
        assert (event.credential_kind, event.detail.content["address"]) == ("session", "127.0.0.1")
        assert event.request_id == answer.headers["X-Request-ID"]


@pytest.mark.parametrize("name", ADMIN_ACTIONS)
def test_action_of_the_admin_is_on_the_record_once(
    stage: Stage, staff: Browser, settings: Any, name: str
) -> None:
    """On one row of the list."""
    settings.CLAMAV_URL = "tcp://127.0.0.1:1"
    with undone():
        if name == "accounts.user reset_factors":
            totp_make(User.objects.get(uid=stage.ids["newcomer"]))
        if name == "documents.hold release":
            place = {"target": stage.ids["document"], "reason": "Case 7"}
            assert staff.client.post("/admin/documents/hold/add/", place).status_code == REDIRECT
        for step in filter(None, (ADMIN_FIRST.get(name), name)):
            model, _, action = step.partition(" ")
            form = {"action": action, "_selected_action": [str(row_of(stage, model).pk)], "reason": "Why"}
            last = Event.objects.latest("sequence").sequence
            answer = staff.client.post(f"/admin/{model.replace('.', '/')}/", form)
            assert answer.status_code == REDIRECT
            found = events_after(last)
            check_staff(found, staff, ADMIN_ACTIONS[step], answer)
            for event in found:
                check_silence(event, stage, answer)


@pytest.mark.parametrize("model", ADMIN_FORMS)
def test_form_of_the_admin_is_on_the_record_once(stage: Stage, staff: Browser, model: str) -> None:
    """One field changed is one event, none changed none."""
    changes, action = ADMIN_FORMS[model]
    page = f"/admin/{model.replace('.', '/')}/{row_of(stage, model).pk}/change/"
    with undone():
        context = staff.client.get(page).context
        formsets = [inline.formset.management_form for inline in context["inline_admin_formsets"]]
        fields = [field for form in (context["adminform"].form, *formsets) for field in form]
        sent = {field.html_name: field.value() for field in fields if field.value() not in (None, False)}
        for body, due in ((sent, ()), ({**sent, **changes}, (action,))):
            last = Event.objects.latest("sequence").sequence
            answer = staff.client.post(page, body)
            assert answer.status_code == REDIRECT, answer.context["adminform"].form.errors
            check_staff(events_after(last), staff, due, answer)


def test_table_holds_every_command() -> None:
    """Commands of our own."""
    ours = {name for name, app in get_commands().items() if str(app).partition(".")[0] in OURS}
    assert ours == {call.partition(" ")[0] for call in COMMANDS} | OTHER_COMMANDS.keys()


@pytest.mark.parametrize("line", COMMANDS)
def test_command_is_on_the_record_once(stage: Stage, line: str) -> None:
    """By the operator at the shell, under the command's name, from no address."""
    with undone():
        stage.prepare("trashed")
        Document.objects.filter(uid=stage.ids["document"]).update(trashed_at=LONG_AGO)
        stage.ids["email"] = User.objects.get(uid=stage.ids["newcomer"]).email
        with transaction.atomic():
            other = job_enqueue(actor=operator(), kind="mail.send", payload={})
        stage.ids["cancelled"] = str(job_cancel(actor=operator(), job=other).uid)
        last = Event.objects.latest("sequence").sequence
        name, *arguments = stage.filled(line).split()
        call_command(name, *arguments, stdout=io.StringIO())
        found = events_after(last)
    assert tuple(event.action for event in found) == COMMANDS[line]
    for event in found:
        assert (event.actor_kind, event.credential_kind) == ("command", "command")
        assert (event.detail.content["actor"], event.detail.content["address"]) == (name, None)
        assert event.request_id
