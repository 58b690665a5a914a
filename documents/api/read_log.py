"""The reads of a route, told to the trail where the workspace's policy says so."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from typing import Any

from rest_framework.request import Request

from audit.services import Target
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.conditional import if_none_match
from documents.models import Attachment, Document
from documents.services.reads import ATTACHMENT_DOWNLOADED, DOCUMENT_READ, read_told, reads_told, reads_wanted


def document_read_tell(
    request: Request, actor: Actor, document: Document | dict[str, Any], etag: str | None = None, **facts: int
) -> None:
    """Tell that a document, or the answer that shows one, was read; not where the client has it already."""
    if request.method == "HEAD" or (etag is not None and if_none_match(request, etag)):
        return
    if isinstance(document, Document):
        target, room = Target("document", document.uid, document.title), document.workspace.uid
    else:
        # Asked first, since hardly any workspace wants it and this is asked by every read.
        if not reads_wanted(document["workspace"]):
            return
        target, room = _target(document), document["workspace"]
    read_told(actor=actor, action=DOCUMENT_READ, target=target, workspace=room, **facts)


def bodies_read_tell(request: Request, actor: Actor, answers: Iterable[dict[str, Any]]) -> None:
    """Tell of a list that each document was read whose body it shows."""
    if request.method != "HEAD":
        shown = [answer for answer in answers if "content" in answer]
        reads_told(actor=actor, reads=[(_target(answer), answer["workspace"]) for answer in shown])


def attachment_read_tell(request: Request, actor: Actor, attachment: Attachment) -> None:
    """Tell that a file was fetched, whole or in part."""
    if request.method == "HEAD":
        return
    read_told(
        actor=actor,
        action=ATTACHMENT_DOWNLOADED,
        target=Target("attachment", attachment.uid, attachment.name),
        workspace=attachment.document.workspace.uid,
        document=str(attachment.document.uid),
    )


def _target(answer: dict[str, Any]) -> Target:
    return Target("document", uuid.UUID(str(answer["id"])), answer["title"])
