"""What the jobs of large subtrees do: the same services as in a request, and the end of the reservation."""

from __future__ import annotations

import dataclasses
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
    WORKSPACE_DELETE,
)
from documents.selectors.visible import document_visible, workspace_visible
from documents.services.copying import Copying, document_copy
from documents.services.destinations import destination_of
from documents.services.locking import actor_renewed
from documents.services.snapshot_restore import Restored, snapshot_restore
from documents.services.states import document_inheritance_set, document_publish, document_unpublish
from documents.services.trash import document_purge, document_restore, document_trash
from documents.services.tree_jobs import Check, TreeChange, reservation_end, reservation_held, unchecked
from documents.services.trees import document_move
from documents.services.workspaces import workspace_delete

Payload = Mapping[str, Any]
Result = dict[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class _Task:
    """What a job does: for whom, what was asked for, and `check`, which raises where it was cancelled."""

    actor: Actor
    payload: Payload
    check: Check

    def document(self) -> Document:
        """The document, if the actor of now sees it; raises NotFound."""
        return document_visible(actor_renewed(self.actor), self.payload["document"], "workspace", "parent")


@transactional
def tree_work(*, actor: Actor, kind: str, payload: Payload, check: Check = unchecked) -> Result:
    """Do what a job of this kind was asked for, and free the workspaces in the same transaction.

    The result names the document or the workspace. Where the reservation doesn't stand an earlier try did
    the work, and nothing is done. Raises what the service raises, and what `check` raises until the very end:
    then nothing was done, however far it was.
    """
    if not reservation_held(actor.credential_uid, payload["workspaces"]):
        return {}
    check()
    result = _WORK[kind](_Task(actor, payload, check))
    check()
    reservation_end(actor.credential_uid)
    return result


def _copy(task: _Task) -> Result:
    payload = task.payload
    copying = Copying(
        destination_of(actor_renewed(task.actor), payload["to"]),
        payload["title"],
        include_children=True,
        uid=uuid.UUID(payload["uid"]),
        check=task.check,
    )
    document_copy(actor=task.actor, document=task.document(), copying=copying)
    return {"document": payload["uid"]}


def _move(task: _Task) -> Result:
    to = destination_of(actor_renewed(task.actor), task.payload["to"])
    return _changed(document_move(actor=task.actor, document=task.document(), to=to))


def _cut(task: _Task) -> Result:
    document = task.document()
    inherits = task.payload["inherits_access"]
    document_inheritance_set(actor=task.actor, document=document, inherits_access=inherits)
    return {"document": str(document.uid)}


def _purge(task: _Task) -> Result:
    document = task.document()
    document_purge(actor=task.actor, document=document, check=task.check)
    return {"document": str(document.uid)}


def _delete(task: _Task) -> Result:
    workspace = workspace_visible(actor_renewed(task.actor), task.payload["workspace"])
    workspace_delete(actor=task.actor, workspace=workspace, check=task.check)
    return {"workspace": str(workspace.uid)}


def _alone(service: Callable[..., Any]) -> Callable[[_Task], Result]:
    """The work of a service that takes nothing but the document."""

    def work(task: _Task) -> Result:
        document = task.document()
        changed = service(actor=task.actor, document=document)
        return _changed(changed) if isinstance(changed, TreeChange) else {"document": str(document.uid)}

    return work


def _changed(changed: Any) -> Result:
    return {"document": str(changed.document.uid), "hidden": changed.hidden}


def _snapshot(task: _Task) -> Result:
    payload = task.payload
    snapshot = Snapshot.objects.select_related("workspace").filter(pk=payload["snapshot"]).first()
    document = Document.objects.filter(pk=payload["document"]).first()
    if snapshot is None or (document is None and payload["document"] is not None):
        raise NotFound
    restored = snapshot_restore(actor=task.actor, snapshot=snapshot, document=document, check=task.check)
    return restored.to_json() if isinstance(restored, Restored) else {}


_WORK: dict[str, Callable[[_Task], Result]] = {
    DOCUMENT_COPY: _copy,
    DOCUMENT_CUT: _cut,
    DOCUMENT_MOVE: _move,
    DOCUMENT_PUBLISH: _alone(document_publish),
    DOCUMENT_PURGE: _purge,
    DOCUMENT_RESTORE: _alone(document_restore),
    DOCUMENT_TRASH: _alone(document_trash),
    DOCUMENT_UNPUBLISH: _alone(document_unpublish),
    SNAPSHOT_RESTORE: _snapshot,
    WORKSPACE_DELETE: _delete,
}
TREE_KINDS = frozenset(_WORK)
