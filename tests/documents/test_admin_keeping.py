"""Legal holds and snapshots in the admin: shown to staff, holds released through the service."""

from __future__ import annotations

import pytest

from audit.models import Event
from documents.models import Document, Hold, Snapshot
from tests.accounts.test_admin_people import clerk
from tests.accounts.test_admin_sign_in import staff_client, staff_make
from tests.documents.world import World

pytestmark = pytest.mark.django_db
HOLDS, SNAPSHOTS = "/admin/documents/hold/", "/admin/documents/snapshot/"


def release(browser: object, hold: Hold) -> str:
    """The page after the list's action."""
    form = {"action": "release", "_selected_action": [str(hold.pk)]}
    return str(browser.post(HOLDS, form, follow=True).content.decode())  # type: ignore[attr-defined]


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
