"""Content in the storage: kept once by its hash, gone some time after its last attachment.

Nothing here touches the storage within a transaction. First the row, marked as used by nobody, then the file,
then the attachment: whatever a crash leaves behind is a row that the sweeper finds.
"""

from __future__ import annotations

import datetime as dt
from typing import BinaryIO, NamedTuple

from django.conf import settings
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now

from cloudscribe.jobs.models import Job, JobState
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import ServiceUnavailable
from cloudscribe.lib.storage import (
    file_exists,
    file_pieces,
    file_remove,
    file_save,
    storage_trouble,
    temporary_file,
)
from cloudscribe.lib.transactions import transactional
from documents.exceptions import AttachmentInfected
from documents.models import Attachment, Blob, BlobState
from documents.queues import DOCUMENTS_IMPORT
from documents.thumbnails import SIDES
from security.content import Content

# In one statement: of two who bring the same content at once one makes the row and both get it. One that is
# used by nobody gets its time anew, so that the sweeper leaves it alone meanwhile.
_RESERVE_SQL = """
INSERT INTO documents_blob
  (sha256, size, content_type, inline, width, height, state, finding, has_thumbnail, removing, unused_since)
VALUES (%s, %s, %s, %s, %s, %s, %s, '', false, false, now())
ON CONFLICT (sha256) WHERE NOT removing DO UPDATE
SET unused_since = CASE WHEN documents_blob.unused_since IS NULL THEN NULL ELSE now() END
RETURNING *
"""


_TOO_LATE = "The file took too long to be stored. Send it again."


class Incoming(NamedTuple):
    """A file on its way in: its bytes, their SHA-256 and number, and what they are."""

    file: BinaryIO
    sha256: bytes
    size: int
    content: Content


def blob_store(*, actor: Actor, incoming: Incoming) -> Blob:
    """Have the content in the storage, whether it was there or not; used by nobody yet.

    Outside of any transaction. Raises AttachmentInfected for what was found infected before, StorageFull,
    StorageUnavailable, and ServiceUnavailable where all this took longer than the time of grace.
    """
    blob = _blob_reserve(incoming=incoming)
    if blob.state == BlobState.INFECTED:
        raise AttachmentInfected
    # A file is whole as soon as it has its name; and one that was lost comes back with whoever has it still.
    if not file_exists(blob.path):
        file_save(blob.path, incoming.file)
        if not Blob.objects.filter(pk=blob.pk, removing=False).exists():
            # The sweeper has been there before the file was; it won't come back for it.
            file_remove(blob.path)
            raise ServiceUnavailable(_TOO_LATE)
    return blob


@transactional
def _blob_reserve(*, incoming: Incoming) -> Blob:
    content = incoming.content
    values = [
        *(incoming.sha256, incoming.size, content.media_type, content.inline, content.width, content.height),
        BlobState.SCANNING if settings.CLAMAV_URL else BlobState.READY,
    ]
    found: Blob = Blob.objects.raw(_RESERVE_SQL, values)[0]
    return found


def blob_take(pk: int) -> Blob:
    """Lock content that is about to be attached, within the transaction that does it.

    Raises ServiceUnavailable where the sweeper has begun to remove it, which takes an upload that is slower
    than the time of grace; the next try stores it anew. Raises AttachmentInfected.
    """
    blob = Blob.objects.select_for_update(no_key=True).filter(pk=pk, removing=False).first()
    if blob is None:
        raise ServiceUnavailable(_TOO_LATE)
    if blob.state == BlobState.INFECTED:
        raise AttachmentInfected
    return blob


def blob_content(blob: Blob) -> BinaryIO:
    """The content as a file with a descriptor, which needn't lie in this machine's storage.

    Raises StorageFull, StorageUnavailable.
    """
    file = temporary_file()
    with storage_trouble():
        for piece in file_pieces(blob.path, 0, blob.size):
            file.write(piece)
        file.seek(0)
    return file


def blobs_sweep_next(*, actor: Actor) -> bool:
    """Remove content that nobody has used for the time of grace; False where none is due.

    What a crash interrupts is done by the next turn: the row is marked before the file goes, deleted after.
    """
    blob = Blob.objects.filter(removing=True).order_by("pk").first() or _blob_condemn()
    if blob is None:
        return False
    # Its pictures whether or not the row says so: a job may have stored them and not come to say it.
    for path in (blob.path, *(blob.thumbnail_path(side) for side in SIDES if blob.inline)):
        file_remove(path)
    _blob_forget(pk=blob.pk)
    return True


def _blobs_due() -> QuerySet[Blob]:
    used = Attachment.objects.filter(blob=OuterRef("pk"))
    border = Now() - dt.timedelta(seconds=settings.BLOB_GRACE)
    due = Blob.objects.filter(~Exists(used), removing=False, unused_since__lt=border)
    return due.exclude(pk__in=_blobs_awaited())


def _blobs_awaited() -> list[int]:
    """What imports are about to read that have not ended, however long they wait."""
    waiting = Q(state=JobState.QUEUED, queue="slow")
    running = Q(state=JobState.RUNNING, lease_until__isnull=False)
    jobs = Job.objects.filter(waiting | running, kind=DOCUMENTS_IMPORT)
    return [payload["blob"] for payload in jobs.values_list("payload", flat=True)]


@transactional
def _blob_condemn() -> Blob | None:
    """Mark one that is due; the lock decides between this and who attaches it at the same moment."""
    for pk in _blobs_due().order_by("unused_since").values_list("pk", flat=True)[:1]:
        blob = Blob.objects.select_for_update(no_key=True).get(pk=pk)
        # Looked at again: attached while this waited for the lock.
        if _blobs_due().filter(pk=pk).update(removing=True):
            blob.removing = True
            return blob
    return None


@transactional
def _blob_forget(*, pk: int) -> None:
    Blob.objects.filter(pk=pk, removing=True).delete()
