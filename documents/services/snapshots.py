"""Naming moments. A snapshot copies nothing: what it holds is read from the history."""

from __future__ import annotations

import datetime as dt

from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional
from documents.exceptions import DocumentTrashed
from documents.models import Document, Snapshot, Workspace
from documents.policies import Action, require
from documents.selectors.moments import stood_at
from documents.selectors.snapshots import snapshots_of
from documents.services.locking import (
    Strength,
    actor_renewed,
    document_lock,
    workspace_lock,
)


@transactional
def snapshot_create(
    *, actor: Actor, workspace: Workspace, name: str, root: Document | None = None
) -> Snapshot:
    """Name this moment of a workspace, or of a document with all below it.

    What is moved or made at the same time is in it whole or not at all. Raises Forbidden, NotFound,
    DocumentTrashed, WorkspaceBusy.
    """
    workspace_lock(workspace.pk, Strength.REWRITE)
    actor = actor_renewed(actor)
    require(actor, Action.SNAPSHOT, workspace)
    if root is not None:
        actor, root = document_lock(actor, root.pk)
        if root.workspace_id != workspace.pk:
            raise NotFound
        require(actor, Action.SNAPSHOT, root)
        if root.is_trashed:
            raise DocumentTrashed
    return snapshot_insert(actor, workspace, name, root, actor.now)


@transactional
def snapshot_rename(*, actor: Actor, snapshot: Snapshot, name: str) -> Snapshot:
    """Call a snapshot otherwise. Raises Forbidden, NotFound."""
    actor, row = _held(actor, snapshot)
    if row.name == name:
        return row
    before, row.name, row.updated_at = row.name, name, actor.now
    row.save(update_fields=["name", "updated_at"])
    event_record(
        actor=actor,
        action="snapshot.updated",
        target=Target("snapshot", row.uid, name),
        workspace_uid=row.workspace.uid,
        changes={"name": (before, name)},
    )
    return row


@transactional
def snapshot_delete(*, actor: Actor, snapshot: Snapshot) -> None:
    """Forget the name of a moment; documents and their history stay. Raises Forbidden, NotFound."""
    actor, row = _held(actor, snapshot)
    row.delete()
    event_record(
        actor=actor,
        action="snapshot.deleted",
        target=Target("snapshot", snapshot.uid, row.name),
        workspace_uid=row.workspace.uid,
        facts={"at": row.at.isoformat()},
    )


def snapshot_insert(
    actor: Actor, workspace: Workspace, name: str, root: Document | None, at: dt.datetime
) -> Snapshot:
    """Write a snapshot of a moment that is no later than now; the caller holds the lock and has the right."""
    made = Snapshot.objects.create(
        workspace=workspace,
        root=root,
        name=name,
        at=at,
        documents=len(stood_at(workspace.pk, at, root.pk if root else None)),
        created_by_id=actor.pk,
        created_at=actor.now,
        updated_at=actor.now,
    )
    event_record(
        actor=actor,
        action="snapshot.created",
        target=Target("snapshot", made.uid, name),
        workspace_uid=workspace.uid,
        facts={"documents": made.documents, **({"root": str(root.uid)} if root else {})},
    )
    return made


def _held(actor: Actor, snapshot: Snapshot) -> tuple[Actor, Snapshot]:
    """The row, locked and still the actor's to change."""
    actor = actor_renewed(actor)
    require(actor, Action.SNAPSHOT, snapshot.workspace)
    rows = snapshots_of(actor, snapshot.workspace).filter(pk=snapshot.pk)
    row = rows.select_for_update(of=("self",), no_key=True).first()
    if row is None:
        raise NotFound
    return actor, row
