"""The staff's pages in a real browser: they sign in, show what they should, and change through services."""

from __future__ import annotations

import pytest
from django.db import transaction
from selenium.webdriver.common.by import By
from selenium.webdriver.support.select import Select

from accounts.models import Session
from audit.models import Event
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.services import job_enqueue
from documents.models import Document
from documents.roles import Role
from documents.services.documents import NewDocument, document_create
from documents.services.invitations import invitation_send
from documents.services.workspaces import workspace_create
from security.services import ip_rule_create
from tests.accounts.factories import user_make
from tests.actors import command, person
from tests.admin.browser import Staff
from tests.jobs.factories import file_make

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
BODY = "The body speaks of a kanarienvogel."


@pytest.fixture
def document() -> Document:
    """A document of somebody's, with a body that staff must not see."""
    owner = person(user_make(name="Olga Owner"))
    workspace = workspace_create(actor=owner, name="Gardens")
    return document_create(
        actor=owner, workspace=workspace, new=NewDocument(title="Herbs", content=BODY)
    ).document


def waiting_job() -> Job:
    """A mail that no worker takes."""
    with transaction.atomic():
        return job_enqueue(actor=command(), kind="mail.send", payload={})


def test_sign_in_shows_how_the_system_is_doing(staff: Staff, document: Document) -> None:
    """The first page has the numbers and the newest events, in the theme."""
    staff.sign_in()
    text = staff.open("/admin/")
    assert "Workspaces" in text
    assert "Redis\nanswers" in text
    assert "document.created" in text


def test_sign_in_with_a_wrong_password_stays_outside(staff: Staff) -> None:
    """The form says that it failed and nobody is in."""
    staff.sign_in("wrong-horse-battery-42")
    staff.picture("wrong-password")
    assert "The address or the password is wrong." in staff.text()
    assert not Session.objects.filter(kind=Session.Kind.ADMIN).exists()


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("accounts/user/", "Ada Staff"),
        ("accounts/session/", "Ada Staff"),
        ("documents/workspace/", "Gardens"),
        ("documents/document/", "Herbs"),
        ("documents/invitation/", "guest@example.org"),
        ("audit/event/", "workspace.created"),
        ("jobs/job/", "mail"),
        ("jobs/jobfile/", "trail.csv"),
        ("security/iprule/", "203.0.113.0/24"),
        ("security/ratelimitpolicy/", "Sign In"),
    ],
)
def test_list_shows_its_rows(staff: Staff, document: Document, path: str, shown: str) -> None:
    """Every list opens without a complaint of the browser and shows what there is."""
    waiting_job()
    file_make()
    ip_rule_create(actor=command(), network="203.0.113.0/24")
    host, room = person(document.owner), document.workspace
    invitation_send(actor=host, workspace=room, email="guest@example.org", role=Role.VIEWER)
    staff.come_in()
    assert shown in staff.open(f"/admin/{path}")


def test_document_page_shows_metadata_and_never_the_body(staff: Staff, document: Document) -> None:
    """Staff see how a document stands, not what is in it, on the page and in its source."""
    staff.come_in()
    assert "Herbs" in staff.open(f"/admin/documents/document/{document.pk}/change/")
    assert "kanarienvogel" not in staff.driver.page_source


def test_event_page_shows_who_did_what_and_offers_no_change(staff: Staff, document: Document) -> None:
    """Events are read-only."""
    event = Event.objects.get(action="document.created")
    staff.come_in()
    assert "Olga Owner" in staff.open(f"/admin/audit/event/{event.pk}/change/")
    assert staff.driver.find_elements(By.NAME, "_save") == []


def test_user_page_corrects_the_name_through_the_service(staff: Staff) -> None:
    """A change of the form is a service's: saved, and in the audit trail with before and after."""
    user = user_make(name="Mispelt")
    staff.come_in()
    staff.open(f"/admin/accounts/user/{user.pk}/change/")
    field = staff.driver.find_element(By.NAME, "name")
    field.clear()
    field.send_keys("Misspelt")
    staff.submit("[name=_save]")
    user.refresh_from_db()
    assert user.name == "Misspelt"
    event = Event.objects.get(action="user.updated", target_uid=user.uid)
    assert event.detail.content["changes"]["name"] == {"before": "Mispelt", "after": "Misspelt"}
    assert event.actor_uid == staff.user.uid


def _choose(staff: Staff, row: str, action: str) -> None:
    checkbox = staff.driver.find_element(By.CSS_SELECTOR, f"input.action-select[value='{row}']")
    staff.driver.execute_script("arguments[0].click()", checkbox)
    Select(staff.driver.find_element(By.NAME, "action")).select_by_value(action)
    staff.submit("button[name=index]")


def test_suspending_a_user_ends_their_sessions(staff: Staff) -> None:
    """The list's action keeps the person out at once, with an event."""
    user = user_make(name="Sus Pended")
    staff.come_in()
    staff.open("/admin/accounts/user/")
    _choose(staff, str(user.pk), "suspend")
    staff.picture("suspended")
    user.refresh_from_db()
    assert not user.is_active
    assert Event.objects.filter(action="user.suspended", target_uid=user.uid).count() == 1


def test_a_waiting_job_is_cancelled_and_tried_again(staff: Staff) -> None:
    """Both actions of the list of jobs go through their services."""
    job = waiting_job()
    staff.come_in()
    staff.open("/admin/jobs/job/")
    _choose(staff, str(job.pk), "cancel")
    assert Job.objects.get().state == "cancelled"
    staff.open("/admin/jobs/job/")
    _choose(staff, str(job.pk), "retry")
    assert Job.objects.get().state == "queued"


def test_a_revoked_session_is_out_at_the_next_page(staff: Staff) -> None:
    """Django's own session may live on in the cache; ours decides."""
    staff.come_in()
    staff.open("/admin/")
    Session.objects.update(revoked_at="2026-01-01T00:00:00Z", revoked_reason="test")
    staff.driver.get(staff.base + "/admin/")
    assert staff.driver.find_elements(By.NAME, "password")
