"""What is done with content after it came: the scanner is asked, small pictures are made."""

from __future__ import annotations

import io

from django.conf import settings

from accounts.powers import powers_required
from accounts.services.notifications import News, notify
from audit.services import Entry, Target, event_record, events_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.storage import file_remove, file_save
from cloudscribe.lib.transactions import transactional
from documents.models import Attachment, Blob, BlobState
from documents.notices import ATTACHMENT_INFECTED
from documents.scanning import ScannerMissing, finding_of
from documents.services.attachments import blob_work_enqueue
from documents.services.blobs import blob_content
from documents.thumbnails import SIDES, thumbnails_make

# Who may have content scanned again.
BLOB_STAFF = "documents.change_blob"
_FINDING_LENGTH = 200
# So many are asked for anew in one turn; the next turn brings the others.
_UNSCANNED = 1_000


def blob_scan(*, actor: Actor, pk: int) -> str:
    """Have the scanner look at content that is held back; gives what became of it, `gone` for none.

    Where no scanner is set any more it is let go as it is. Raises ScannerUnavailable, ScannerRefused,
    StorageUnavailable.
    """
    blob = Blob.objects.filter(pk=pk, removing=False).first()
    if blob is None:
        return "gone"
    if blob.state != BlobState.SCANNING:
        return blob.state
    finding = ""
    if settings.CLAMAV_URL:
        with blob_content(blob) as file:
            finding = finding_of(file)
    _blob_judge(actor=actor, pk=pk, finding=finding)
    return str(BlobState.INFECTED if finding else BlobState.READY)


@transactional
def blob_rescan(*, actor: Actor, pk: int) -> None:
    """Have the scanner look again at content, whatever it said before; nobody gets it meanwhile.

    Raises Forbidden without the permission, ScannerMissing where none is set, NotFound.
    """
    powers_required(actor, BLOB_STAFF)
    if not settings.CLAMAV_URL:
        raise ScannerMissing
    blob = Blob.objects.select_for_update(no_key=True).filter(pk=pk, removing=False).first()
    if blob is None:
        raise NotFound
    before, blob.state = blob.state, BlobState.SCANNING
    blob.save(update_fields=["state"])
    event_record(
        actor=actor,
        action="blob.rescanned",
        target=Target("blob", None, blob.digest),
        changes={"state": (before, blob.state)},
        facts={"sha256": blob.digest},
    )
    blob_work_enqueue(actor=actor, blob=blob)


@transactional
def blobs_unscanned(*, actor: Actor) -> int:
    """Ask again for the scan of what is held back and attached; how many."""
    rows = Blob.objects.filter(state=BlobState.SCANNING, removing=False, unused_since=None).order_by("pk")
    waiting = list(rows[:_UNSCANNED])
    for blob in waiting:
        blob_work_enqueue(actor=actor, blob=blob)
    return len(waiting)


def blob_picture(*, actor: Actor, pk: int) -> bool:
    """Make the small pictures of an image; False where there is none to make, or it can't be done."""
    blob = Blob.objects.filter(pk=pk, removing=False, inline=True, state=BlobState.READY).first()
    if blob is None or blob.has_thumbnail:
        return False
    with blob_content(blob) as file:
        made = thumbnails_make(file)
    if made is None:
        return False
    for side, content in made.items():
        file_save(blob.thumbnail_path(side), io.BytesIO(content))
    if _blob_pictured(pk=pk):
        return True
    # The sweeper was quicker and didn't see them.
    for side in SIDES:
        file_remove(blob.thumbnail_path(side))
    return False


@transactional
def _blob_pictured(*, pk: int) -> bool:
    return bool(Blob.objects.filter(pk=pk, removing=False).update(has_thumbnail=True))


@transactional
def _blob_judge(*, actor: Actor, pk: int, finding: str) -> None:
    """Let content go, or keep it apart for good, which is told to whoever attached it."""
    # The lock decides between this and who attaches it at this moment: they meet the verdict.
    blob = Blob.objects.select_for_update(no_key=True).filter(pk=pk, state=BlobState.SCANNING).first()
    if blob is None:
        return
    blob.state = BlobState.INFECTED if finding else BlobState.READY
    blob.finding = finding[:_FINDING_LENGTH]
    blob.save(update_fields=["state", "finding"])
    if finding:
        _infection_tell(actor, blob)
    else:
        blob_work_enqueue(actor=actor, blob=blob)


def _infection_tell(actor: Actor, blob: Blob) -> None:
    rows = list(Attachment.objects.filter(blob=blob).select_related("document__workspace"))
    events_record(
        [
            Entry(
                actor,
                "attachment.infected",
                Target("attachment", row.uid, row.name),
                row.document.workspace.uid,
                changes={"finding": (None, blob.finding)},
                facts={"document": str(row.document.uid), "sha256": blob.digest},
            )
            for row in rows
        ]
    )
    for row in rows:
        if row.created_by_id is not None:
            document = row.document
            news = News(ATTACHMENT_INFECTED, "document", document.uid, document.workspace.uid)
            notify(actor=actor, users=[row.created_by_id], news=news)
