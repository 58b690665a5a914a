"""Making documents."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from uuid_utils.compat import uuid7

from audit.services import Entry, Target, event_along
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import Forbidden, InvalidInput, NotFound
from cloudscribe.lib.postgresql.base import ask_along, prepared_rows
from cloudscribe.lib.transactions import transactional
from documents import limits
from documents.authors import author_columns
from documents.exceptions import DocumentArchived, DocumentTooDeep, DocumentTrashed
from documents.models import Document, DocumentBody, Origin, State, Workspace
from documents.policies import Action, can, require
from documents.positions import position_between
from documents.roles import Role
from documents.services.granting import grant_insert
from documents.services.indexing import search_index_enqueue
from documents.services.locking import Strength, actor_at, workspace_lock
from documents.services.positioning import position_for
from documents.services.writing import document_rows_insert

# After the lock, in one statement: the clock, the actor's stamps of now and the last sibling at the place.
_PLACE_SQL = """
SELECT statement_timestamp(),
       (SELECT stamp FROM accounts_userstamp WHERE user_id = %(user)s::bigint),
       (SELECT coalesce(sum(g.stamp), 0)::bigint FROM accounts_user_groups m
        JOIN accounts_groupstamp g ON g.group_id = m.group_id WHERE m.user_id = %(user)s::bigint),
       (SELECT coalesce(max(number), 0) FROM audit_epoch),
       (SELECT s.position FROM documents_document s WHERE {place} ORDER BY s.position DESC LIMIT 1),
       p.workspace_id, p.path, p.depth, p.reach, p.scope_id, p.state, p.trashed_at
FROM (SELECT 1) AS one LEFT JOIN documents_document p ON p.id = %(parent)s::bigint
"""
_PLACE_BELOW_SQL = _PLACE_SQL.format(place="s.parent_id = %(parent)s::bigint")
_PLACE_ON_TOP_SQL = _PLACE_SQL.format(place="s.workspace_id = %(workspace)s::bigint AND s.parent_id IS NULL")


@dataclasses.dataclass(frozen=True, slots=True)
class NewDocument:
    """What a new document says and how it stands; `before` or `after` name a sibling."""

    title: str
    content: str = ""
    language: str | None = None
    tags: Sequence[str] = ()
    icon: str = ""
    state: str = State.PUBLISHED
    template: bool = False
    note: str = ""
    before: uuid.UUID | None = None
    after: uuid.UUID | None = None


class Created(NamedTuple):
    """A new document and its row, as `document_shown` wants it."""

    document: Document
    row: tuple[Any, ...]


@transactional
def document_create(
    *, actor: Actor, workspace: Workspace, new: NewDocument, parent: Document | None = None
) -> Created:
    """Make a document at the end of its siblings, or where it is wanted, with its first revision.

    Raises Forbidden, NotFound, DocumentTrashed, DocumentArchived, DocumentTooDeep, WorkspaceBusy,
    SiblingNotFound.
    """
    return document_add(actor, workspace, new, parent)


def document_add(
    actor: Actor,
    workspace: Workspace,
    new: NewDocument,
    parent: Document | None,
    facts: Mapping[str, Any] | None = None,
    *,
    uid: uuid.UUID | None = None,
) -> Created:
    """As `document_create`, within the caller's transaction; `facts` go into the event, `uid` is its id."""
    placed = new.before is not None or new.after is not None
    _place_ask_along(actor, workspace, parent)
    locked = workspace_lock(workspace.pk, Strength.REWRITE if placed else Strength.ADD)
    workspace.default_language = locked.default_language
    actor, last = _place_read(actor, workspace, parent)
    creation_check(actor, workspace, parent)
    position = position_between(last, None)
    if placed:
        position = position_for(
            actor=actor,
            workspace=workspace.pk,
            parent=parent.pk if parent else None,
            before=new.before,
            after=new.after,
            moved=None,
            now=actor.now,
        )
    uid = uid or uuid7()
    entry = Entry(
        actor=actor,
        action="document.created",
        target=Target("document", uid, new.title),
        workspace_uid=workspace.uid,
        changes={"title": (None, new.title), "revision": (None, 1), "state": (None, new.state)},
        facts=facts,
    )
    with event_along(entry):
        return document_insert(
            actor=actor, workspace=workspace, parent=parent, new=new, position=position, uid=uid
        )


def document_insert(
    *,
    actor: Actor,
    workspace: Workspace,
    parent: Document | None,
    new: NewDocument,
    position: str,
    uid: uuid.UUID | None = None,
) -> Created:
    """Write a document's rows: itself, body, first revision, place and, of a draft, its maker's grant.

    Asks for the vector of a body that is too large to make it in a request. For services that hold the
    workspace's lock and have checked the rights.
    """
    document = _document_of(actor, workspace, parent, new)
    document.position = position
    if uid is not None:
        document.uid = uid
    encoded = new.content.encode()
    body = DocumentBody(content=new.content, sha256=hashlib.sha256(encoded).digest(), size=len(encoded))
    written = document_rows_insert(document, body, note=new.note)
    if not written.indexed:
        search_index_enqueue(actor=actor)
    if new.state == State.DRAFT:
        grant_insert(document, user_pk=actor.pk, role=Role.MANAGER, origin=Origin.DRAFT, granted_by=actor.pk)
    return Created(document, written.row)


def _document_of(actor: Actor, workspace: Workspace, parent: Document | None, new: NewDocument) -> Document:
    if actor.pk is None:
        raise Forbidden("Only a person can own a document.")
    by, by_actor = author_columns(actor)
    return Document(
        workspace=workspace,
        parent=parent,
        state=new.state,
        template=new.template,
        title=new.title,
        language=new.language or workspace.default_language,
        icon=new.icon,
        tags=list(new.tags),
        owner_id=actor.pk,
        created_by_id=by,
        created_actor=by_actor,
        created_at=actor.now,
        updated_by_id=by,
        updated_actor=by_actor,
        updated_at=actor.now,
    )


def _place_parameters(actor: Actor, workspace: Workspace, parent: Document | None) -> dict[str, int | None]:
    return {"user": actor.pk, "workspace": workspace.pk, "parent": parent.pk if parent else None}


def _place_ask_along(actor: Actor, workspace: Workspace, parent: Document | None) -> None:
    """Have what `_place_read` reads sent along with the lock: it begins once that is held."""
    parameters = _place_parameters(actor, workspace, parent)
    ask_along(_PLACE_BELOW_SQL if parent else _PLACE_ON_TOP_SQL, parameters)


def _place_read(actor: Actor, workspace: Workspace, parent: Document | None) -> tuple[Actor, str | None]:
    """The actor of now and the last sibling's position; refreshes the parent's row in place."""
    parameters = _place_parameters(actor, workspace, parent)
    rows = prepared_rows(_PLACE_BELOW_SQL if parent else _PLACE_ON_TOP_SQL, parameters)
    now, user_stamp, group_stamps, epoch, last, *above = rows[0]
    if parent is not None:
        room, parent.path, parent.depth, parent.reach, parent.scope_id, parent.state, parent.trashed_at = (
            above
        )
        if room != workspace.pk:
            # Purged, or moved to another workspace while this waited for the lock.
            raise NotFound
    return actor_at(actor, now, user_stamp, group_stamps, epoch), last


def creation_check(actor: Actor, workspace: Workspace, parent: Document | None) -> None:
    """Raise what refuses the actor a new document at a place whose workspace is locked."""
    if parent is None:
        require(actor, Action.CREATE, workspace)
        return
    if parent.workspace_id != workspace.pk:
        raise InvalidInput.field("/parent", "other_workspace", "The parent stands in another workspace.")
    if not can(actor, Action.SEE if parent.trashed_at is None else Action.EDIT, parent):
        raise NotFound
    require(actor, Action.CREATE, parent)
    if parent.is_trashed:
        raise DocumentTrashed
    if parent.state == State.ARCHIVED:
        raise DocumentArchived
    if parent.depth >= limits.DEPTH:
        raise DocumentTooDeep
