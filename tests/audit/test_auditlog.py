"""django-auditlog's entries and the field differences of events."""

from __future__ import annotations

import pytest
from auditlog.models import LogEntry
from django.db import DatabaseError, connection, transaction

from accounts.models import User
from audit.diff import model_changes
from audit.models import Event
from audit.services import Target, event_record
from cloudscribe.lib.actor import acting_as
from cloudscribe.lib.context import RequestContext, request_context
from tests.accounts.factories import user_make
from tests.jobs.factories import person

pytestmark = pytest.mark.django_db


def test_entry_names_actor_address_and_request() -> None:
    """An entry is by the actor of the context, whichever way they signed in."""
    staff, changed = user_make(), user_make(name="Old")
    actor = person(staff.uid, pk=staff.pk, name=staff.name)
    with request_context(RequestContext("request-0001", "192.0.2.7")), acting_as(actor):
        changed.name = "New"
        changed.save(update_fields=["name"])
    entry = LogEntry.objects.get_for_object(changed).latest("id")
    assert (entry.actor_id, entry.remote_addr, entry.cid) == (staff.pk, "192.0.2.7", "request-0001")
    assert entry.changes_dict == {"name": ["Old", "New"]}


def test_event_names_the_entry_of_its_change() -> None:
    """The event that a service writes after a save holds that save's entry."""
    changed = user_make(name="Old")
    changed.name = "New"
    changed.save(update_fields=["name"])
    event_record(actor=person(), action="user.updated", target=Target.of("user", changed, changed.name))
    entry = LogEntry.objects.get_for_object(changed).latest("id")
    assert Event.objects.get(action="user.updated").log_entry == entry.pk


def test_entries_hold_no_secret() -> None:
    """Neither a new password's hash nor the old one gets into an entry."""
    changed = user_make()
    changed.set_password("another-horse-battery-43")
    changed.save()
    for entry in LogEntry.objects.get_for_object(changed):
        assert "password" not in entry.changes_dict


@pytest.mark.parametrize(
    "statement", ["UPDATE auditlog_logentry SET object_repr = 'x'", "DELETE FROM auditlog_logentry"]
)
def test_entries_are_kept(statement: str) -> None:
    """The application's role adds entries and changes none."""
    user_make()
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)


def test_changes_of_named_fields_alone() -> None:
    """Only fields that were named and differ are told, each before and after."""
    before, after = User(name="Old", email="a@example.org"), User(name="New", email="b@example.org")
    assert model_changes(before, after, ["name", "locale"]) == {"name": ("Old", "New")}
    assert model_changes(before, before, ["name"]) == {}
