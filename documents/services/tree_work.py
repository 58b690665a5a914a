"""What the jobs of large subtrees do: the same services as in a request, and the end of the reservation."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional
from documents.models import Document, Snapshot
from documents.queues import (
    DOCUMENT_COPY,
    DOCUMENT_CUT,
    DOCUMENT_MOVE,
    DOCUMENT_PUBLISH,
    DOCUMENT_PURGE,
    DOCUMENT_RESTORE,
    DOCUMENT_TRASH,
    DOCUMENT_UNPUBLISH,
    SNAPSHOT_RESTORE,
)
from documents.services.copying import Copying, document_copy
from documents.services.destinations import destination_of
from documents.services.locking import actor_renewed
from documents.services.snapshot_restore import Restored, snapshot_restore
from documents.services.states import document_inheritance_set, document_publish, document_unpublish
from documents.services.trash import document_purge, document_restore, document_trash
from documents.services.tree_jobs import TreeChange, reservation_end, reservation_held
from documents.services.trees import document_move
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
        destination_of(actor_renewed(actor), payload["to"]),
        payload["title"],
        include_children=True,
        uid=uuid.UUID(payload["uid"]),
    )
    document_copy(actor=actor, document=document, copying=copying)
    return {"document": payload["uid"]}


def _move(actor: Actor, payload: Payload) -> Result:
    to = destination_of(actor_renewed(actor), payload["to"])
    return _changed(document_move(actor=actor, document=_document(actor, payload), to=to))


def _cut(actor: Actor, payload: Payload) -> Result:
    document = _document(actor, payload)
    inherits = payload["inherits_access"]
    document_inheritance_set(actor=actor, document=document, inherits_access=inherits)
    return {"document": str(document.uid)}


def _purge(actor: Actor, payload: Payload) -> Result:
    document = _document(actor, payload)
    document_purge(actor=actor, document=document)
    return {"document": str(document.uid)}


def _alone(service: Callable[..., Any]) -> Callable[[Actor, Payload], Result]:
    """The work of a service that takes nothing but the document."""

    def work(actor: Actor, payload: Payload) -> Result:
        document = _document(actor, payload)
        changed = service(actor=actor, document=document)
        return _changed(changed) if isinstance(changed, TreeChange) else {"document": str(document.uid)}

    return work


def _changed(changed: Any) -> Result:
    return {"document": str(changed.document.uid), "hidden": changed.hidden}


def _snapshot(actor: Actor, payload: Payload) -> Result:
    snapshot = Snapshot.objects.select_related("workspace").filter(pk=payload["snapshot"]).first()
    document = Document.objects.filter(pk=payload["document"]).first()
    if snapshot is None or (document is None and payload["document"] is not None):
        raise NotFound
    restored = snapshot_restore(actor=actor, snapshot=snapshot, document=document)
    return restored.to_json() if isinstance(restored, Restored) else {}


_WORK: dict[str, Callable[[Actor, Payload], Result]] = {
    DOCUMENT_COPY: _copy,
    DOCUMENT_CUT: _cut,
    DOCUMENT_MOVE: _move,
    DOCUMENT_PUBLISH: _alone(document_publish),
    DOCUMENT_PURGE: _purge,
    DOCUMENT_RESTORE: _alone(document_restore),
    DOCUMENT_TRASH: _alone(document_trash),
    DOCUMENT_UNPUBLISH: _alone(document_unpublish),
    SNAPSHOT_RESTORE: _snapshot,
}
TREE_KINDS = frozenset(_WORK)
