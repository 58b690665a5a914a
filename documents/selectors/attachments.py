"""Attachments as somebody may see them: always through their document."""

from __future__ import annotations

import uuid

from django.db.models import QuerySet

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.postgresql.compiled import CompiledQuery
from documents.exceptions import AttachmentInfected, AttachmentScanning, DocumentTrashed
from documents.models import Attachment, AttachmentUsage, Blob, BlobState, Document
from documents.policies import Action, can

_ATTACHMENT = CompiledQuery(
    lambda uid: Attachment.objects.select_related("blob", "created_by", "document__workspace").filter(
        uid=uid
    ),
    uid=uuid.UUID,
)


def attachments_of(document: Document) -> QuerySet[Attachment]:
    """The attachments of a document that the caller has found for the actor."""
    return Attachment.objects.filter(document_id=document.pk).select_related("blob", "created_by")


def attachment_find(actor: Actor, uid: uuid.UUID) -> Attachment:
    """The attachment with its document and workspace, if the actor may see that.

    Raises NotFound for what is absent or hidden, in the trash too unless the actor may edit it, and then
    DocumentTrashed.
    """
    # By the key alone and judged in Python, as documents are.
    attachment = _ATTACHMENT.first(uid=uid)
    if attachment is None or not can(actor, Action.SEE, attachment.document):
        raise NotFound
    if attachment.document.is_trashed:
        raise DocumentTrashed if can(actor, Action.EDIT, attachment.document) else NotFound
    return attachment


def attachment_usage(workspace: int) -> tuple[int, int]:
    """How many files a workspace holds, and their bytes, each counted as often as it is attached."""
    found = AttachmentUsage.objects.filter(pk=workspace).values_list("files", "size").first()
    return found or (0, 0)


def blob_servable(blob: Blob) -> Blob:
    """The content, which may be given away; raises AttachmentScanning, AttachmentInfected."""
    if blob.state == BlobState.SCANNING:
        raise AttachmentScanning
    if blob.state == BlobState.INFECTED:
        raise AttachmentInfected
    return blob
