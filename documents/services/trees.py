"""Moving documents in and between trees."""

from __future__ import annotations

from typing import NamedTuple

from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional
from documents.etags import ExpectedRevision, expected_check
from documents.exceptions import DocumentArchived, DocumentTrashed, MoveIntoItself
from documents.models import Document, State, Workspace
from documents.policies import Action, can, require
from documents.selectors.effects import Effects, move_effects
from documents.services.destinations import Destination, parent_read
from documents.services.locking import (
    Strength,
    actor_renewed,
    document_lock,
    workspace_ready,
    workspaces_lock,
)
from documents.services.placing import depth_check, document_place, placements_write, position_for, subtree


@transactional
def document_move(
    *, actor: Actor, document: Document, to: Destination, expected: ExpectedRevision | None = None
) -> Document:
    """Move a document with all below it; within the same parent this only reorders, which editors may.

    Raises Forbidden, NotFound, MoveIntoItself, DocumentTooDeep, DocumentArchived, DocumentTrashed,
    WorkspaceBusy, SiblingNotFound, PreconditionFailed.
    """
    source = document.workspace
    actor, document, parent = _opened(actor, document, to, expected)
    place, old_parent = _place_of(document), document.parent
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
    if place == _place_of(document):
        return document
    document_place(actor, document)
    whole = subtree(document).values_list("pk", flat=True)
    placements_write(list(whole) if source.pk != to.workspace.pk else [document.pk], actor.now)
    _record(actor, document, source, old_parent, place.position)
    return document


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
    for workspace in (source, to.workspace):
        workspace_ready(workspace)
    workspaces_lock([source.pk, to.workspace.pk], Strength.REWRITE)
    actor = actor_renewed(actor)
    document = document_lock(actor, document.pk)
    if document.workspace_id != source.pk:
        # Moved to a third workspace while this waited; the locks held are not those that are needed.
        raise NotFound
    expected_check(expected, document, actor)
    parent = parent_read(actor, to)
    _move_check(actor, document, to.workspace, parent)
    return actor, document, parent


class _Place(NamedTuple):
    workspace: int
    parent: int | None
    position: str


def _place_of(document: Document) -> _Place:
    return _Place(document.workspace_id, document.parent_id, document.position)


def _record(
    actor: Actor, document: Document, source: Workspace, old_parent: Document | None, old_position: str
) -> None:
    workspace, parent = document.workspace, document.parent
    event_record(
        actor=actor,
        action="document.moved",
        target=Target("document", document.uid, document.title),
        workspace_uid=workspace.uid,
        changes={
            "workspace": (str(source.uid), str(workspace.uid)),
            "parent": (old_parent and str(old_parent.uid), parent and str(parent.uid)),
            "position": (old_position, document.position),
        },
        facts={"from_workspace": str(source.uid)} if source.pk != workspace.pk else None,
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
