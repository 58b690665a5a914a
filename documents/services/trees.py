"""Moving documents in and between trees."""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

from audit.services import Target, event_record
from cloudscribe.jobs.models import Job
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional
from documents.etags import ExpectedRevision, expected_check
from documents.exceptions import DocumentArchived, DocumentTrashed, MoveIntoItself
from documents.models import Document, State, Workspace
from documents.policies import Action, can, require
from documents.queues import DOCUMENT_MOVE
from documents.selectors.effects import Effects, move_effects
from documents.services.attachments import attachments_fit
from documents.services.destinations import Destination, destination_payload, parent_read
from documents.services.locking import (
    Strength,
    document_lock,
    workspaces_lock,
)
from documents.services.placing import (
    depth_check,
    document_place,
    hidden_among,
    placements_write,
    places_facts,
    subtree,
)
from documents.services.positioning import position_for
from documents.services.tree_jobs import TreeChange, job_needed, tree_job_begin


@transactional
def document_move(
    *, actor: Actor, document: Document, to: Destination, expected: ExpectedRevision | None = None
) -> TreeChange | Job:
    """Move a document with all below it; within the same parent this only reorders, which editors may.

    What is hidden from the actor goes along and is counted; grants on what moves stay, and the event says
    which of those above reach it no longer and which do from now on. A large subtree is a job's work.

    Raises Forbidden, NotFound, MoveIntoItself, DocumentTooDeep, DocumentArchived, DocumentTrashed,
    WorkspaceBusy, SiblingNotFound, PreconditionFailed, and AttachmentQuotaExceeded where its files have no
    room in another workspace.
    """
    source = document.workspace
    actor, document, parent = _opened(actor, document, to, expected)
    reorders = source.pk == to.workspace.pk and document.parent_id == (parent.pk if parent else None)
    if not reorders and job_needed(actor, document):
        payload = {"document": document.pk, "to": destination_payload(to)}
        return tree_job_begin(actor, DOCUMENT_MOVE, payload, [source.pk, to.workspace.pk])
    return _move(actor, document, source, dataclasses.replace(to, parent=parent))


def _move(actor: Actor, document: Document, source: Workspace, to: Destination) -> TreeChange:
    parent = to.parent
    before = copy.copy(document)
    before.workspace, before.parent = source, document.parent
    document.position = position_for(
        actor=actor,
        workspace=to.workspace.pk,
        parent=parent.pk if parent else None,
        before=to.before,
        after=to.after,
        moved=document.pk,
        now=actor.now,
    )
    document.workspace, document.parent = to.workspace, parent
    if _place_of(before) == _place_of(document):
        return TreeChange(document)
    reorders = source.pk == to.workspace.pk and before.parent_id == document.parent_id
    whole = [document.pk] if reorders else list(subtree(document).values_list("pk", flat=True))
    hidden = hidden_among(actor, subtree(document), len(whole))
    document_place(actor, document)
    placements_write(whole if source.pk != to.workspace.pk else [document.pk], actor.now)
    if source.pk != to.workspace.pk:
        # Again: until its rows were written a file could be added to what moves.
        attachments_fit(to.workspace.pk, subtree(document), moved=True)
    facts: dict[str, Any] = {} if reorders else {"documents": len(whole), "hidden": hidden}
    places = places_facts(
        {document.pk: (before.reach, document.reach)}, {document.pk: (before.line, document.line)}
    )
    facts |= places.get(document.pk, {})
    if source.pk != to.workspace.pk:
        facts["from_workspace"] = str(source.uid)
    _record(actor, document, before, facts)
    return TreeChange(document, hidden)


@transactional
def document_move_preview(
    *, actor: Actor, document: Document, to: Destination, expected: ExpectedRevision | None = None
) -> Effects:
    """Who would gain and lose by the move; nothing is written. Raises what `document_move` raises."""
    actor, document, parent = _opened(actor, document, to, expected)
    return move_effects(actor, document, to.workspace, parent)


def _opened(
    actor: Actor, document: Document, to: Destination, expected: ExpectedRevision | None
) -> tuple[Actor, Document, Document | None]:
    """Both workspaces locked and all that a move asks checked: the actor, document and parent of now."""
    source = document.workspace
    workspaces_lock([source.pk, to.workspace.pk], Strength.REWRITE, actor)
    actor, document = document_lock(actor, document.pk)
    if document.workspace_id != source.pk:
        # Moved to a third workspace while this waited; the locks held are not those that are needed.
        raise NotFound
    parent = parent_read(actor, to)
    _move_check(actor, document, to.workspace, parent)
    expected_check(expected, document, actor)
    if source.pk != to.workspace.pk:
        attachments_fit(to.workspace.pk, subtree(document))
    return actor, document, parent


class _Place(NamedTuple):
    workspace: int
    parent: int | None
    position: str


def _place_of(document: Document) -> _Place:
    return _Place(document.workspace_id, document.parent_id, document.position)


def _record(actor: Actor, document: Document, before: Document, facts: Mapping[str, Any]) -> None:
    workspace, parent = document.workspace, document.parent
    event_record(
        actor=actor,
        action="document.moved",
        target=Target("document", document.uid, document.title),
        workspace_uid=workspace.uid,
        changes={
            "workspace": (str(before.workspace.uid), str(workspace.uid)),
            "parent": (before.parent and str(before.parent.uid), parent and str(parent.uid)),
            "position": (before.position, document.position),
        },
        facts=facts,
    )


def _move_check(actor: Actor, document: Document, workspace: Workspace, parent: Document | None) -> None:
    if document.is_trashed or (parent is not None and parent.is_trashed):
        raise DocumentTrashed
    same_place = document.workspace_id == workspace.pk and document.parent_id == (
        parent.pk if parent else None
    )
    require(actor, Action.REORDER if same_place else Action.MOVE, document)
    if document.state == State.ARCHIVED:
        raise DocumentArchived
    if same_place:
        return
    target = parent if parent is not None else workspace
    if parent is None and not can(actor, Action.SEE, workspace):
        raise NotFound
    require(actor, Action.CREATE, target)
    if parent is not None and parent.state == State.ARCHIVED:
        raise DocumentArchived
    if parent is not None and parent.path.startswith(document.path):
        raise MoveIntoItself
    depth_check(document, parent.depth if parent else 0)
