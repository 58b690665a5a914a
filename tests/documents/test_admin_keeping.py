"""Legal holds and snapshots in the admin: shown to staff, holds released through the service."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Session
from audit.models import Event
from documents.models import Document, Hold, Snapshot, Workspace
from tests.accounts.test_admin_people import clerk
from tests.accounts.test_admin_sign_in import staff_client, staff_make
from tests.documents.world import World

pytestmark = pytest.mark.django_db
HOLDS, SNAPSHOTS = "/admin/documents/hold/", "/admin/documents/snapshot/"
ADD = f"{HOLDS}add/"
ABSENT = "01900000-0000-7000-8000-000000000000"


def release(browser: Client, hold: Hold, reason: str = "Case closed") -> str:
    """The page after the list's action."""
    form = {"action": "release", "_selected_action": [str(hold.pk)], "reason": reason}
    return browser.post(HOLDS, form, follow=True).content.decode()


def place(browser: Client, target: object, reason: str = "Case 7") -> str:
    """The page after the form."""
    return browser.post(ADD, {"target": str(target), "reason": reason}, follow=True).content.decode()


@pytest.fixture
def browser() -> Client:
    """An administrator at the admin."""
    return staff_client(staff_make())[0]


@pytest.mark.parametrize("kind", ["document", "workspace"])
def test_hold_is_placed_by_staff(world: World, browser: Client, kind: str) -> None:
    """From the page of what it stands on, which tells of it afterwards; what is held can't be removed."""
    uid = world.document("Evidence")
    row: Any = Document.objects.get(uid=uid) if kind == "document" else Workspace.objects.get()
    page = f"/admin/documents/{kind}/{row.pk}/"
    assert "Place a legal hold" in browser.get(f"{page}change/").content.decode()
    form = browser.get(f"{page}hold/", follow=True)
    assert str(row.uid) in form.content.decode()
    assert "Case 7" in place(browser, row.uid)
    hold = Hold.objects.get()
    assert (hold.document or hold.workspace, hold.reason) == (row, "Case 7")
    event = Event.objects.get(action="hold.placed")
    assert (event.target_uid, event.detail.content["reason"]) == (row.uid, "Case 7")
    assert f"/admin/documents/hold/{hold.pk}/change/" in browser.get(f"{page}change/").content.decode()
    World.ok(world.act(uid, "trash"))
    assert world.owner.delete(f"documents/{uid}/").status_code == 423


@pytest.mark.parametrize(
    ("target", "reason", "told"),
    [
        (ABSENT, "Case 7", "No document and no workspace has this id."),
        ("nonsense", "Case 7", "Enter a valid UUID."),
        ("", "Case 7", "This field is required."),
        (None, "", "This field is required."),
        (None, "x" * 501, "at most 500 characters"),
    ],
)
def test_hold_that_is_refused_says_why(
    world: World, browser: Client, target: str | None, reason: str, told: str
) -> None:
    """On the form, and nothing is placed."""
    assert told in place(browser, world.document("Evidence") if target is None else target, reason)
    assert not Hold.objects.exists()


def test_hold_is_placed_by_holders_of_the_permission_alone(world: World) -> None:
    """Who may look at holds, or even add rows by Django's own permission, places none."""
    uid, looking = world.document("Evidence"), clerk("view_hold", "add_hold", "change_hold", "view_document")
    page = f"/admin/documents/document/{Document.objects.get(uid=uid).pk}/"
    assert "Place a legal hold" not in looking.get(f"{page}change/").content.decode()
    assert looking.get(f"{page}hold/").status_code == 403
    assert (looking.get(ADD).status_code, "Case 7" in place(looking, uid)) == (403, False)
    assert not Hold.objects.exists()


def test_holder_of_the_permission_alone_does_it_all(world: World) -> None:
    """It is enough to place, see and release."""
    counsel = clerk("place_hold")
    assert "Case 7" in place(counsel, world.document("Evidence"))
    assert "Released: 1." in release(counsel, Hold.objects.get())


def test_release_needs_a_reason(world: World, browser: Client) -> None:
    """Which goes into the trail."""
    hold = Hold.objects.create(document=Document.objects.get(uid=world.document("Evidence")), reason="Case 7")
    assert "Say why they are released." in release(browser, hold, " ")
    assert "Released: 1." in release(browser, hold)
    assert Event.objects.get(action="hold.released").detail.content["reason"] == "Case closed"


def test_release_needs_a_fresh_proof(world: World, browser: Client) -> None:
    """As by API: an admin page left open is not enough."""
    hold = Hold.objects.create(document=Document.objects.get(uid=world.document("Evidence")), reason="Case 7")
    Session.objects.update(authenticated_at=timezone.now() - dt.timedelta(hours=1))
    assert "Sign out and in again" in release(browser, hold)
    assert Hold.objects.get().released_at is None


def test_hold_once_placed_is_not_changed(world: World, browser: Client) -> None:
    """Neither by a forged form nor deleted by hand."""
    hold = Hold.objects.create(document=Document.objects.get(uid=world.document("Evidence")), reason="Case 7")
    page = f"{HOLDS}{hold.pk}/change/"
    assert browser.post(page, {"reason": "None", "target": ABSENT}).status_code == 403
    assert browser.post(page.replace("change", "delete"), {"post": "yes"}).status_code == 403
    hold.refresh_from_db()
    assert hold.reason == "Case 7"


def test_hold_is_released_by_staff(world: World) -> None:
    """Through the service, with its event; a second time is told."""
    hold = Hold.objects.create(document=Document.objects.get(uid=world.document("Evidence")), reason="Case 7")
    staff = staff_make()
    browser = staff_client(staff)[0]
    listed = browser.get(HOLDS).content.decode()
    assert ("Evidence" in listed, "Case 7" in listed) == (True, True)
    assert browser.get(f"{HOLDS}{hold.pk}/change/").status_code == 200
    assert "Released: 1." in release(browser, hold)
    assert Event.objects.get(action="hold.released").actor_uid == staff.uid
    assert "The hold was released already" in release(browser, hold)


def test_hold_stays_without_the_permission(world: World) -> None:
    """Who may only look releases nothing."""
    hold = Hold.objects.create(document=Document.objects.get(uid=world.document("Evidence")), reason="Case 7")
    browser = clerk("view_hold")
    assert browser.get(HOLDS).status_code == 200
    release(browser, hold)
    assert Hold.objects.get().released_at is None


def test_snapshots_are_shown_and_no_more(world: World) -> None:
    """Nothing of them can be changed by hand."""
    World.ok(world.owner.post(f"workspaces/{world.workspace}/snapshots/", {"name": "Then"}), 201)
    browser = staff_client(staff_make())[0]
    path = f"{SNAPSHOTS}{Snapshot.objects.get().pk}/change/"
    assert "Then" in browser.get(SNAPSHOTS).content.decode()
    assert "Then" in browser.get(path).content.decode()
    assert browser.post(path, {"name": "Now"}).status_code == 403
