"""Copies of documents and subtrees: what they say, not who may read them, nor what was said of them."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import Count, QuerySet, Sum
from uuid_utils.compat import uuid7

from audit.services import Entry, Target, events_record
from cloudscribe.jobs.models import Job
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import Forbidden, NotFound
from cloudscribe.lib.transactions import transactional
from documents import limits
from documents.exceptions import DocumentTooDeep, DocumentTrashed
from documents.models import Document, State
from documents.policies import ACTION_BITS, Action, can, require
from documents.queues import DOCUMENT_COPY
from documents.services.copy_rows import Copy, copies_insert, ids_draw
from documents.services.destinations import Destination, destination_payload, parent_read
from documents.services.documents import creation_check
from documents.services.locking import (
    Strength,
    document_lock,
    workspaces_lock,
)
from documents.services.placing import subtree
from documents.services.positioning import position_for
from documents.services.tree_jobs import Check, is_job, tree_job_begin, unchecked
from documents.visibility import visible_to

_EVENTS = 1_000


@dataclasses.dataclass(frozen=True, slots=True)
class Copying:
    """What of a document is copied, where to (None: beside it), under which title (None: its own) and id.

    A job passes `check`, called between the steps: what it raises ends the copying.
    """

    to: Destination | None = None
    title: str | None = None
    include_children: bool = False
    uid: uuid.UUID = dataclasses.field(default_factory=uuid7)
    check: Check = unchecked


@transactional
def document_copy(*, actor: Actor, document: Document, copying: Copying) -> Document | Job:
    """Copy a document and, where wanted, what the actor sees below it; a large subtree is a job's work.

    Title, body, tags, icon, language, template flag and files go along, and links inside lead to the copies;
    grants, cuts, comments and history don't. A draft becomes a draft of the actor's; what is archived below
    stays so, the document itself becomes a published one. Raises Forbidden, NotFound, DocumentTrashed,
    DocumentArchived, DocumentTooDeep, WorkspaceBusy, SiblingNotFound, AttachmentQuotaExceeded.
    """
    if actor.pk is None:
        raise Forbidden("Only a person can own a document.")
    to = copying.to or Destination(document.workspace, document.parent, after=document.uid)
    source = document.workspace
    # The source's as well: a move there would have rows slip away between two statements.
    rooms = [source.pk, to.workspace.pk]
    workspaces_lock(rooms, Strength.REWRITE, actor)
    actor, document = document_lock(actor, document.pk)
    if document.workspace_id != source.pk:
        # Moved to a third workspace while this waited.
        raise NotFound
    if document.is_trashed:
        raise DocumentTrashed if can(actor, Action.EDIT, document) else NotFound
    require(actor, Action.COPY, document)
    to = _destination_checked(actor, to, beside=copying.to is None)
    if copying.include_children and not is_job(actor) and _is_large(actor, document):
        return tree_job_begin(actor, DOCUMENT_COPY, _payload(document, to, copying), rooms)
    return _copy(actor, document, to, copying)


def _destination_checked(actor: Actor, to: Destination, *, beside: bool) -> Destination:
    try:
        parent = parent_read(actor, to)
    except NotFound:
        if not beside:
            raise
        # The place beside a document may be hidden from who sees it, and nobody asked for it by name.
        raise Forbidden("You can't add a document there.", extra={"action": Action.CREATE}) from None
    creation_check(actor, to.workspace, parent)
    return dataclasses.replace(to, parent=parent)


def _seen(actor: Actor, document: Document, copying: Copying | None = None) -> QuerySet[Document]:
    """What is copied: the document and what the actor may copy below it, out of the trash."""
    if copying is not None and not copying.include_children:
        return Document.objects.filter(pk=document.pk)
    rows = visible_to(subtree(document), actor, ACTION_BITS[Action.COPY])
    return rows.filter(trashed_at__isnull=True)


def _is_large(actor: Actor, document: Document) -> bool:
    sums = _seen(actor, document).aggregate(documents=Count("pk"), size=Sum("body__size"))
    return bool(sums["documents"] > limits.COPY_IN_REQUEST or sums["size"] > limits.COPY_BYTES_IN_REQUEST)


def _payload(document: Document, to: Destination, copying: Copying) -> dict[str, Any]:
    return {
        "document": document.pk,
        "to": destination_payload(to),
        "title": copying.title,
        "uid": str(copying.uid),
    }


def _copy(actor: Actor, document: Document, to: Destination, copying: Copying) -> Document:
    rows = _seen(actor, document, copying).select_related("body")
    # Held against writers, so that what several statements read is of one moment.
    held = rows.defer("body__content", "body__search_vector").order_by("pk")
    sources = list(held.select_for_update(no_key=True, of=("self",)))
    position = position_for(
        actor=actor,
        workspace=to.workspace.pk,
        parent=to.parent.pk if to.parent else None,
        before=to.before,
        after=to.after,
        moved=None,
        now=actor.now,
    )
    copies = _planned(sources, document, to, position, copying)
    copies_insert(actor, to.workspace.pk, copies, copying.check)
    for start in range(0, len(copies), _EVENTS):
        events_record([_created(actor, to, copy) for copy in copies[start : start + _EVENTS]])
    return Document.objects.select_related("workspace", "parent").get(pk=copies[0].id)


def _planned(
    sources: Sequence[Document], root: Document, to: Destination, position: str, copying: Copying
) -> list[Copy]:
    """The copies, parents first, each below the copy of its nearest ancestor that is copied, too."""
    ordered = sorted(sources, key=lambda row: (row.depth, row.position, row.pk))
    above = to.parent.depth if to.parent else 0
    made: dict[int, tuple[Copy, int]] = {}
    for row, key in zip(ordered, ids_draw(len(ordered)), strict=True):
        if row.pk == root.pk:
            state = State.DRAFT if row.state == State.DRAFT else State.PUBLISHED
            copy = Copy(
                id=key,
                uid=copying.uid,
                source=row,
                parent=to.parent.pk if to.parent else None,
                position=position,
                state=state,
                title=copying.title or row.title,
            )
            made[row.pk] = copy, above + 1
        else:
            parent, depth = made[next(pk for pk in reversed(row.line[:-1]) if pk in made)]
            copy = Copy(key, uuid7(), row, parent.id, row.position, row.state, row.title)
            made[row.pk] = copy, depth + 1
        if made[row.pk][1] > limits.DEPTH:
            raise DocumentTooDeep
    return [copy for copy, _ in made.values()]


def _created(actor: Actor, to: Destination, copy: Copy) -> Entry:
    return Entry(
        actor,
        "document.created",
        Target("document", copy.uid, copy.title),
        to.workspace.uid,
        changes={"title": (None, copy.title), "revision": (None, 1), "state": (None, copy.state)},
        facts={"copied_from": str(copy.source.uid)},
    )
