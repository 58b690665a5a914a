"""What the jobs of large subtrees do: the same services as in a request, and the end of the reservation."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional
from documents.models import Document
from documents.queues import DOCUMENT_COPY
from documents.services.copying import Copying, document_copy
from documents.services.destinations import destination_of
from documents.services.locking import actor_renewed
from documents.services.tree_jobs import reservation_end, reservation_held
from documents.visibility import visible_to

Payload = Mapping[str, Any]
Result = dict[str, Any]


@transactional
def tree_work(*, actor: Actor, kind: str, payload: Payload) -> Result:
    """Do what a job of this kind was asked for, and free the workspaces in the same transaction.

    The result names the document. Where the reservation doesn't stand an earlier try did the work, and
    nothing is done. Raises what the service raises.
    """
    if reservation_held(actor.credential_uid, payload["workspaces"]):
        result = _WORK[kind](actor, payload)
        reservation_end(actor.credential_uid)
        return result
    return {}


def _document(actor: Actor, payload: Payload) -> Document:
    rows = visible_to(Document.objects.select_related("workspace", "parent"), actor_renewed(actor))
    document = rows.filter(pk=payload["document"]).first()
    if document is None:
        raise NotFound
    return document


def _copy(actor: Actor, payload: Payload) -> Result:
    document = _document(actor, payload)
    copying = Copying(
        destination_of(actor, payload["to"]),
        payload["title"],
        include_children=True,
        uid=uuid.UUID(payload["uid"]),
    )
    document_copy(actor=actor, document=document, copying=copying)
    return {"document": payload["uid"]}


_WORK: dict[str, Callable[[Actor, Payload], Result]] = {
    DOCUMENT_COPY: _copy,
}
TREE_KINDS = frozenset(_WORK)
