"""The trash: out of sight with all below it, back to its place, or gone for good."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from audit.services import Target, event_record
from cloudscribe.jobs.models import Job
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import BusinessError
from cloudscribe.lib.transactions import transactional
from documents import limits
from documents.etags import ExpectedRevision, expected_check
from documents.exceptions import DocumentNotInTrash, DocumentTrashed, HiddenParts, ParentTrashed
from documents.models import Document
from documents.policies import Action, can, require
from documents.queues import DOCUMENT_PURGE, DOCUMENT_RESTORE, DOCUMENT_TRASH
from documents.selectors.trash import trash_due
from documents.services.holds import hold_check
from documents.services.locking import Strength, document_lock, workspace_lock
from documents.services.placing import hidden_among, placements_write, subtree
from documents.services.purging import purge_facts, rows_purge
from documents.services.tree_jobs import (
    Check,
    TreeChange,
    is_job,
    is_large,
    job_needed,
    reservation_end,
    reserve,
    tree_job_begin,
    unchecked,
)


@transactional
def document_trash(
    *, actor: Actor, document: Document, expected: ExpectedRevision | None = None
) -> TreeChange | Job:
    """Put a document and all below it into the trash; what lay there before keeps its own root.

    What is hidden from the actor goes along and is counted. A large subtree is a job's work. Raises
    Forbidden, DocumentTrashed, PreconditionFailed, WorkspaceBusy.
    """
    actor, document = _locked(actor, document, Strength.REWRITE)
    if document.is_trashed:
        raise DocumentTrashed
    require(actor, Action.TRASH, document)
    expected_check(expected, document, actor)
    standing = subtree(document).filter(trashed_at__isnull=True)
    taken = list(standing.values_list("pk", flat=True))
    if is_large(actor, len(taken)):
        return _job(actor, DOCUMENT_TRASH, document)
    hidden = hidden_among(actor, standing, len(taken))
    standing.update(trashed_at=actor.now, trashed_by_id=actor.pk, trash_root_id=document.pk)
    placements_write(taken, actor.now)
    document.trashed_at, document.trashed_by_id, document.trash_root_id = actor.now, actor.pk, document.pk
    _event(actor, document, "document.trashed", len(taken), hidden)
    return TreeChange(document, hidden)


@transactional
def document_restore(*, actor: Actor, document: Document) -> TreeChange | Job:
    """Bring back a document and what went into the trash with it; a large subtree is a job's work.

    Raises DocumentNotInTrash, ParentTrashed where its place is in the trash itself, Forbidden, WorkspaceBusy.
    """
    # What only adds lets others add beside it; who reserves the workspace writes its row.
    strength = Strength.REWRITE if job_needed(actor, document) else Strength.ADD
    actor, document = _locked(actor, document, strength)
    require(actor, Action.RESTORE, document)
    if not document.is_trashed:
        raise DocumentNotInTrash
    if document.parent is not None and document.parent.is_trashed:
        raise ParentTrashed
    together = subtree(document).filter(trash_root_id=document.trash_root_id)
    brought = list(together.values_list("pk", flat=True))
    if strength is Strength.REWRITE and is_large(actor, len(brought)):
        return _job(actor, DOCUMENT_RESTORE, document)
    hidden = hidden_among(actor, together, len(brought))
    together.update(trashed_at=None, trashed_by=None, trash_root=None)
    placements_write(brought, actor.now)
    document.trashed_at = document.trashed_by = document.trash_root = None
    _event(actor, document, "document.restored", len(brought), hidden)
    return TreeChange(document, hidden)


@transactional
def document_purge(*, actor: Actor, document: Document, check: Check = unchecked) -> Job | None:
    """Remove a trashed document and all below it, with their history; a large subtree is a job's work.

    Raises DocumentNotInTrash, HiddenParts where the actor doesn't see all of it and doesn't own the
    workspace, LegalHold, Forbidden, WorkspaceBusy, and what `check` raises, by which a job that was
    cancelled ends.
    """
    actor, document = _locked(actor, document, Strength.REWRITE)
    require(actor, Action.PURGE, document)
    if not document.is_trashed:
        raise DocumentNotInTrash
    hold_check(document)
    below = subtree(document)
    count = below.count()
    hidden = hidden_among(actor, below, count)
    if hidden and not can(actor, Action.DELETE_WORKSPACE, document.workspace):
        raise HiddenParts(
            f"{hidden} of the documents below it are hidden from you.", extra={"hidden": hidden}
        )
    if is_large(actor, count):
        return _job(actor, DOCUMENT_PURGE, document)
    _event(actor, document, "document.purged", count, hidden, facts=purge_facts(document))
    rows_purge(below, check)
    return None


@transactional
def trash_purge_next(*, actor: Actor) -> int | None:
    """Remove one trashed tree that has lain there longer than its workspace keeps it; None: none is due.

    It is the workspace's own rule that acts, so nobody's rights are asked. A job removes a large tree in its
    second turn, in the first it reserves the workspace, as others would wait in vain for its lock. Gives how
    many trees are gone by this turn.
    """
    job = actor.credential_uid if is_job(actor) else None
    document = trash_due(job).first()
    if document is None:
        return None
    workspace_lock(document.workspace_id, Strength.REWRITE, actor)
    # Restored, moved or purged while this waited for the lock: then it is looked at again in the next turn.
    fresh = trash_due(job).filter(pk=document.pk, workspace=document.workspace_id).first()
    if fresh is None:
        return 0
    below = subtree(fresh)
    count = below.count()
    if job is not None and fresh.workspace.busy_job is None and count > limits.SUBTREE_IN_REQUEST:
        reserve(job, [fresh.workspace_id])
        return 0
    _event(actor, fresh, "document.purged", count, facts=purge_facts(fresh))
    rows_purge(below)
    reservation_end(job)
    return 1


def _locked(actor: Actor, document: Document, strength: Strength) -> tuple[Actor, Document]:
    workspace = document.workspace
    workspace_lock(workspace.pk, strength, actor)
    actor, document = document_lock(actor, document.pk)
    if document.workspace_id != workspace.pk:
        raise BusinessError("It was moved to another workspace meanwhile; try again.")
    document.workspace = workspace
    return actor, document


def _job(actor: Actor, kind: str, document: Document) -> Job:
    return tree_job_begin(actor, kind, {"document": document.pk}, [document.workspace_id])


def _event(
    actor: Actor,
    document: Document,
    action: str,
    count: int,
    hidden: int = 0,
    *,
    facts: Mapping[str, Any] | None = None,
) -> None:
    event_record(
        actor=actor,
        action=action,
        target=Target("document", document.uid, document.title),
        workspace_uid=document.workspace.uid,
        facts={"documents": count, "hidden": hidden, **(facts or {})},
    )
