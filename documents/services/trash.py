"""The trash: out of sight with all below it, back to its place, or gone for good."""

from __future__ import annotations

from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import BusinessError
from cloudscribe.lib.transactions import transactional
from documents.etags import ExpectedRevision, expected_check
from documents.exceptions import DocumentNotInTrash, DocumentTrashed, HiddenParts, ParentTrashed
from documents.models import Document
from documents.policies import Action, can, require
from documents.selectors.trash import trash_due
from documents.services.holds import hold_check
from documents.services.locking import Strength, actor_renewed, document_lock, workspace_lock, workspace_ready
from documents.services.placing import placements_write, subtree
from documents.visibility import visible_to


@transactional
def document_trash(*, actor: Actor, document: Document, expected: ExpectedRevision | None = None) -> Document:
    """Put a document and all below it into the trash; what lay there before keeps its own root.

    Raises Forbidden, DocumentTrashed, PreconditionFailed, WorkspaceBusy.
    """
    actor, document = _locked(actor, document, Strength.REWRITE)
    if document.is_trashed:
        raise DocumentTrashed
    require(actor, Action.TRASH, document)
    expected_check(expected, document, actor)
    taken = list(subtree(document).filter(trashed_at__isnull=True).values_list("pk", flat=True))
    Document.objects.filter(pk__in=taken).update(
        trashed_at=actor.now, trashed_by_id=actor.pk, trash_root_id=document.pk
    )
    placements_write(taken, actor.now)
    document.trashed_at, document.trashed_by_id, document.trash_root_id = actor.now, actor.pk, document.pk
    _event(actor, document, "document.trashed", len(taken))
    return document


@transactional
def document_restore(*, actor: Actor, document: Document) -> Document:
    """Bring back a document and what went into the trash with it.

    Raises DocumentNotInTrash, ParentTrashed where its place is in the trash itself, Forbidden, WorkspaceBusy.
    """
    actor, document = _locked(actor, document, Strength.ADD)
    require(actor, Action.RESTORE, document)
    if not document.is_trashed:
        raise DocumentNotInTrash
    if document.parent is not None and document.parent.is_trashed:
        raise ParentTrashed
    together = subtree(document).filter(trash_root_id=document.trash_root_id)
    brought = list(together.values_list("pk", flat=True))
    Document.objects.filter(pk__in=brought).update(trashed_at=None, trashed_by=None, trash_root=None)
    placements_write(brought, actor.now)
    document.trashed_at = document.trashed_by = document.trash_root = None
    _event(actor, document, "document.restored", len(brought))
    return document


@transactional
def document_purge(*, actor: Actor, document: Document) -> None:
    """Remove a trashed document and all below it, with their history.

    Raises DocumentNotInTrash, HiddenParts where the actor doesn't see all of it and doesn't own the
    workspace, LegalHold, Forbidden, WorkspaceBusy.
    """
    actor, document = _locked(actor, document, Strength.REWRITE)
    require(actor, Action.PURGE, document)
    if not document.is_trashed:
        raise DocumentNotInTrash
    hold_check(document)
    below = subtree(document)
    count = below.count()
    hidden = count - visible_to(below, actor).count()
    if hidden and not can(actor, Action.DELETE_WORKSPACE, document.workspace):
        raise HiddenParts(
            f"{hidden} of the documents below it are hidden from you.", extra={"hidden": hidden}
        )
    _event(actor, document, "document.purged", count)
    below.delete()


@transactional
def trash_purge_next(*, actor: Actor) -> bool:
    """Remove one trashed tree that has lain there longer than its workspace keeps it; False: none is due.

    It is the workspace's own rule that acts, so nobody's rights are asked.
    """
    document = trash_due().first()
    if document is None:
        return False
    workspace_lock(document.workspace_id, Strength.REWRITE)
    # Restored, moved or purged while this waited for the lock: then it is looked at again in the next turn.
    fresh = trash_due().filter(pk=document.pk, workspace=document.workspace_id).first()
    if fresh is not None:
        below = subtree(fresh)
        _event(actor, fresh, "document.purged", below.count())
        below.delete()
    return True


def _locked(actor: Actor, document: Document, strength: Strength) -> tuple[Actor, Document]:
    workspace = document.workspace
    workspace_ready(workspace)
    workspace_lock(workspace.pk, strength)
    actor = actor_renewed(actor)
    document = document_lock(actor, document.pk)
    if document.workspace_id != workspace.pk:
        raise BusinessError("It was moved to another workspace meanwhile; try again.")
    document.workspace = workspace
    return actor, document


def _event(actor: Actor, document: Document, action: str, count: int) -> None:
    event_record(
        actor=actor,
        action=action,
        target=Target("document", document.uid, document.title),
        workspace_uid=document.workspace.uid,
        facts={"documents": count},
    )
