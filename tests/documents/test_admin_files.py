"""Files in the admin: how they stand, never what is in them."""

from __future__ import annotations

from typing import Any

import pytest

from audit.models import Event
from cloudscribe.jobs.models import Job
from cloudscribe.management.health import Finding, Verdict, check_files, check_scanner
from documents.models import Attachment, Blob, BlobState
from tests.accounts.test_admin_people import clerk
from tests.accounts.test_admin_sign_in import staff_client, staff_make
from tests.documents.uploading import picture, upload
from tests.documents.world import World

pytestmark = pytest.mark.django_db
FILES, BLOBS = "/admin/documents/attachment/", "/admin/documents/blob/"
AWAY = "tcp://127.0.0.1:9"


@pytest.fixture
def blob(world: World) -> Blob:
    """The content of a file."""
    world.ok(upload(world.owner, world.document("Secret plan"), picture(), filename="plan.png"), 201)
    return Blob.objects.get()


def scan_again(browser: Any, blob: Blob) -> str:
    """The page after the list's action."""
    form = {"action": "rescan", "_selected_action": [str(blob.pk)]}
    return str(browser.post(BLOBS, form, follow=True).content.decode())


def test_files_are_shown_and_not_given(blob: Blob) -> None:
    """Lists and pages tell name, size and state; there is no way to the content, and no form."""
    browser = staff_client(staff_make())[0]
    attachment = Attachment.objects.get()
    for path in (FILES, f"{FILES}{attachment.pk}/change/", BLOBS, f"{BLOBS}{blob.pk}/change/"):
        page = browser.get(path)
        assert page.status_code == 200, path
        assert "/file/" not in page.content.decode()
    assert "plan.png" in browser.get(f"{FILES}?blob__state=ready").content.decode()
    assert "plan.png" not in browser.get(f"{FILES}?blob__state=infected").content.decode()
    assert blob.digest in browser.get(BLOBS).content.decode()
    assert browser.post(f"{FILES}{attachment.pk}/change/", {"name": "x"}).status_code == 403


def test_content_is_scanned_again_by_staff(blob: Blob, settings: Any) -> None:
    """It is held back until the job has asked; the trail says who wanted that."""
    settings.CLAMAV_URL = AWAY
    Blob.objects.update(state=BlobState.INFECTED)
    staff = staff_make()
    assert "Asked for: 1." in scan_again(staff_client(staff)[0], blob)
    assert Blob.objects.get().state == BlobState.SCANNING
    assert Job.objects.get(kind="documents.blob_scan").payload == {"blob": blob.pk}
    assert Event.objects.get(action="blob.rescanned").actor_uid == staff.uid


def test_content_is_not_scanned_again_without_a_scanner_or_the_permission(blob: Blob, settings: Any) -> None:
    """Refusals are told in their own words; who may only look has no action, a forged one does nothing."""
    assert "Set CLOUDSCRIBE_CLAMAV_URL first." in scan_again(staff_client(staff_make())[0], blob)
    settings.CLAMAV_URL = AWAY
    scan_again(clerk("view_blob"), blob)
    assert Blob.objects.get().state == BlobState.READY


def test_doctor_looks_after_files(settings: Any, tmp_path: Any) -> None:
    """Whether they can be stored and read, and whether the scanner answers."""
    assert list(check_files()) == [Finding("Files", Verdict.OK, "can be stored and read")]
    assert not list(check_scanner())
    settings.CLAMAV_URL = AWAY
    assert [finding.verdict for finding in check_scanner()] == [Verdict.FAIL]
    (tmp_path / "media").write_text("a file where the folder should be")
    settings.MEDIA_ROOT = str(tmp_path / "media")
    assert [finding.verdict for finding in check_files()] == [Verdict.FAIL]
