"""Files of documents: attaching, naming, removing, taking along."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping

from django.conf import settings
from django.db import connection
from django.db.models import QuerySet, Sum
from uuid_utils.compat import uuid7

from accounts.actors import stranger
from audit.services import Entry, Target, event_record, events_record
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import BusinessError, NotFound
from cloudscribe.lib.transactions import transactional
from documents.authors import author_columns
from documents.exceptions import AttachmentQuotaExceeded, DocumentArchived, LegalHold
from documents.models import Attachment, Blob, BlobState, Document, State
from documents.policies import Action, require
from documents.queues import BLOB_SCAN, THUMBNAILS
from documents.selectors.attachments import attachment_usage
from documents.selectors.holds import document_is_held
from documents.services.blobs import blob_take
from documents.services.locking import Strength, workspace_lock
from documents.services.revising import document_open
from security.file_names import name_safe

# The row is made where there is none yet, so that two first uploads queue, too.
_USAGE_LOCK_SQL = """
INSERT INTO documents_attachmentusage (workspace_id, files, size) VALUES (%s, 0, 0)
ON CONFLICT (workspace_id) DO UPDATE SET files = documents_attachmentusage.files RETURNING size
"""
# Rows a statement.
_BATCH = 500


def attachment_foresee(*, actor: Actor, document: Document, size: int = 1) -> None:
    """Refuse what could not be attached anyhow, before a large file is stored for nothing. Writes nothing.

    Raises Forbidden, DocumentArchived, AttachmentQuotaExceeded.
    """
    require(actor, Action.EDIT, document)
    if document.state == State.ARCHIVED:
        raise DocumentArchived
    _quota_check(attachment_usage(document.workspace_id)[1], size)


@transactional
def attachment_create(*, actor: Actor, document: Document, blob: Blob, name: str) -> Attachment:
    """Attach content that lies in the storage to a document, under a name made harmless.

    Raises NotFound, Forbidden, DocumentTrashed, DocumentArchived, AttachmentQuotaExceeded,
    AttachmentInfected, ServiceUnavailable where the content is gone again.
    """
    opened = document_open(actor, document)
    attachment = attachment_insert(actor=opened.actor, document=opened.document, blob=blob, name=name)
    events_record([attachment_created(opened.actor, attachment)])
    return attachment


def attachment_insert(
    *, actor: Actor, document: Document, blob: Blob, name: str, uid: uuid.UUID | None = None
) -> Attachment:
    """Write an attachment's row, under the id `uid` where one is given, and ask for what its content needs.

    For services that hold the document's or its workspace's lock and have checked the rights. Raises
    AttachmentQuotaExceeded, AttachmentInfected, ServiceUnavailable.
    """
    quota_take(document.workspace_id, blob.size)
    attachment = Attachment(document=document, blob=blob_take(blob.pk), name=name_safe(name))
    if uid is not None:
        attachment.uid = uid
    attachment.created_by_id, attachment.created_actor = author_columns(actor)
    attachment.created_at = attachment.updated_at = actor.now
    attachment.save(force_insert=True)
    blob_work_enqueue(actor=actor, blob=attachment.blob)
    return attachment


def attachment_created(actor: Actor, attachment: Attachment) -> Entry:
    """What the trail says of a new attachment."""
    blob = attachment.blob
    return Entry(
        actor,
        "attachment.created",
        Target("attachment", attachment.uid, attachment.name),
        attachment.document.workspace.uid,
        changes={"name": (None, attachment.name), "content_type": (None, blob.content_type)},
        facts={"document": str(attachment.document.uid), "size": blob.size, "sha256": blob.digest},
    )


@transactional
def attachment_rename(*, actor: Actor, attachment: Attachment, name: str) -> Attachment:
    """Give an attachment another name, made harmless; what changes nothing writes nothing.

    Raises NotFound, Forbidden, DocumentTrashed, DocumentArchived.
    """
    actor, attachment = _attachment_open(actor, attachment)
    before, attachment.name = attachment.name, name_safe(name)
    if attachment.name == before:
        return attachment
    attachment.updated_at = actor.now
    attachment.save(update_fields=["name", "updated_at"])
    event_record(
        actor=actor,
        action="attachment.renamed",
        target=Target("attachment", attachment.uid, attachment.name),
        workspace_uid=attachment.document.workspace.uid,
        changes={"name": (before, attachment.name)},
        facts={"document": str(attachment.document.uid)},
    )
    return attachment


@transactional
def attachment_delete(*, actor: Actor, attachment: Attachment) -> None:
    """Remove an attachment; its content goes later, unless another has it.

    Raises NotFound, Forbidden, DocumentTrashed, DocumentArchived, Locked, LegalHold, WorkspaceBusy.
    """
    # As whatever removes: who places a hold meanwhile waits, and finds nothing left to hold.
    room = workspace_lock(attachment.document.workspace_id, Strength.REWRITE)
    actor, attachment = _attachment_open(actor, attachment)
    if attachment.document.workspace_id != room.pk:
        raise BusinessError("It was moved to another workspace meanwhile; try again.")
    if document_is_held(attachment.document):
        raise LegalHold
    event_record(
        actor=actor,
        action="attachment.removed",
        target=Target("attachment", attachment.uid, attachment.name),
        workspace_uid=attachment.document.workspace.uid,
        changes={"name": (attachment.name, None)},
        facts={"document": str(attachment.document.uid), "sha256": attachment.blob.digest},
    )
    attachment.delete()


def attachments_copy(
    *,
    actor: Actor,
    workspace: int,
    copies: Mapping[int, int],
    uids: Mapping[uuid.UUID, uuid.UUID] | None = None,
) -> dict[uuid.UUID, uuid.UUID]:
    """Attach the files of documents to copies of them, each given by its key; the new ids by the old ones.

    For the service that makes the copies, within its transaction, when their rows are there; the links of
    their texts are its own to turn, beforehand where it names the new ids in `uids`. Content is shared, room
    in the workspace isn't. What was found infected stays behind. Raises AttachmentQuotaExceeded.
    """
    # Locked, as not every caller holds the documents: what is being removed meanwhile is waited for.
    rows = attachments_copied(copies.keys()).select_for_update(no_key=True, of=("self",))
    sources = list(rows.select_related("blob").order_by("pk"))
    if not sources:
        return {}
    quota_take(workspace, sum(source.blob.size for source in sources))
    by, by_actor = author_columns(actor)
    made = {
        source.uid: Attachment(
            uid=(uids or {}).get(source.uid) or uuid7(),
            document_id=copies[source.document_id],
            blob=source.blob,
            name=source.name,
            created_by_id=by,
            created_actor=by_actor,
            created_at=actor.now,
            updated_at=actor.now,
        )
        for source in sources
    }
    Attachment.objects.bulk_create(made.values(), batch_size=_BATCH)
    return {old: new.uid for old, new in made.items()}


def attachments_copied(documents: Collection[int]) -> QuerySet[Attachment]:
    """The files that copies of these documents, by key, take along."""
    return Attachment.objects.filter(document_id__in=documents).exclude(blob__state=BlobState.INFECTED)


def attachments_fit(workspace: int, documents: QuerySet[Document], *, moved: bool = False) -> None:
    """See that the files of documents have room in the workspace to which these move. Writes nothing.

    Asked before the move it foretells; `moved`, after it and in its transaction, it is exact, since nobody
    attaches anything to documents whose rows are written. Raises AttachmentQuotaExceeded.
    """
    if not settings.ATTACHMENT_QUOTA:
        return
    size = Attachment.objects.filter(document__in=documents).aggregate(size=Sum("blob__size"))["size"]
    # Whoever brings nothing is welcome where the quota was lowered below what is there.
    if size is not None:
        used = attachment_usage(workspace)[1]
        _quota_check(used - size if moved else used, size)


def quota_take(workspace: int, size: int) -> None:
    """Lock what a workspace has used and see that there is room; raises AttachmentQuotaExceeded.

    Of two uploads at once the second waits here, and finds what the first has used.
    """
    with connection.cursor() as cursor:
        cursor.execute(_USAGE_LOCK_SQL, [workspace])
        _quota_check(cursor.fetchone()[0], size)


def blob_work_enqueue(*, actor: Actor, blob: Blob) -> None:
    """Ask for what content needs before or after it is served: a scan, else small pictures."""
    if blob.state == BlobState.SCANNING:
        kind = BLOB_SCAN
    elif blob.inline and not blob.has_thumbnail:
        kind = THUMBNAILS
    else:
        return
    # Nobody's job: content belongs to no person, and a scan must not end with a session.
    job_enqueue(
        actor=stranger("files", actor.now),
        kind=kind,
        payload={"blob": blob.pk},
        dedupe_key=f"{kind}:{blob.pk}",
        queue="slow",
    )


def _quota_check(used: int, size: int) -> None:
    limit = settings.ATTACHMENT_QUOTA
    if limit and used + size > limit:
        raise AttachmentQuotaExceeded(used, limit)


def _attachment_open(actor: Actor, attachment: Attachment) -> tuple[Actor, Attachment]:
    """Lock the document and the attachment, look again at what was checked before."""
    opened = document_open(actor, attachment.document)
    rows = Attachment.objects.select_for_update(of=("self",)).select_related("blob", "created_by")
    locked = rows.filter(pk=attachment.pk, document_id=opened.document.pk).first()
    if locked is None:
        raise NotFound
    locked.document = opened.document
    return opened.actor, locked
