"""How a document gets its next revision; the private parts of the services that edit and restore."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from audit.services import Entry, Target, event_along
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound, PreconditionFailed, PreconditionRequired
from documents import limits
from documents.authors import author_columns
from documents.etags import ExpectedRevision, document_etag
from documents.exceptions import (
    BaseGone,
    DocumentArchived,
    DocumentTrashed,
    EditConflict,
    OperationNotApplicable,
    RevisionGone,
)
from documents.merge import clash, merge_fields
from documents.merge.fields import BODY
from documents.models import Document, DocumentBody, State
from documents.payloads import payload_for
from documents.policies import Action, can, require
from documents.selectors.editing import document_locked
from documents.selectors.locks import lock_check
from documents.selectors.revisions import revision_snapshot
from documents.services.anchoring import anchors_move
from documents.services.indexing import search_index_enqueue
from documents.services.locking import actor_renewed, renewal_ask_along
from documents.services.writing import document_rows_revise

_CONFLICT_TAIL = b"conflict"

# The fields as they are to be, or how they follow from those of the revision that they are made on. Where
# that is a later one than the client read, the fields of the one read come second.
Follow = Callable[[Mapping[str, Any], Mapping[str, Any] | None], Mapping[str, Any]]
Changes = Mapping[str, Any] | Follow


@dataclasses.dataclass(frozen=True, slots=True)
class Edited:
    """What became of a write: whether it made a revision, and whether that took in another's work.

    `row` is that revision's, as `document_shown` wants it.
    """

    document: Document
    merged: bool
    revised: bool
    row: tuple[Any, ...] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class OpenDocument:
    """A document and its body, locked by this transaction, and the actor of now, who may edit it."""

    actor: Actor
    document: Document
    body: DocumentBody

    @property
    def epoch(self) -> int:
        """The epoch of the database, which a restore raises."""
        return self.actor.access_key.epoch if self.actor.access_key else 0

    def fields(self) -> dict[str, Any]:
        """Every field that a revision holds, the body among them."""
        return {**self.document.fields_of_revision(), BODY: self.body.content}


def document_open(actor: Actor, document: Document) -> OpenDocument:
    """Lock a document and its body for a write and look again at what was checked before the lock.

    The lock makes writers of one document queue, so that each merges with what the one before it wrote.
    Raises NotFound, Forbidden, DocumentTrashed, DocumentArchived, DocumentLocked.
    """
    renewal_ask_along(actor)
    document, body = document_locked(document.pk)
    actor = actor_renewed(actor)
    if not can(actor, Action.SEE, document):
        raise NotFound
    if document.is_trashed and not can(actor, Action.EDIT, document):
        raise NotFound
    require(actor, Action.EDIT, document)
    if document.is_trashed:
        raise DocumentTrashed
    if document.state == State.ARCHIVED:
        raise DocumentArchived
    lock_check(actor, document)
    return OpenDocument(actor, document, body)


def document_revise(
    opened: OpenDocument,
    changes: Changes,
    expected: ExpectedRevision | None,
    *,
    merge: bool,
    note: str,
    facts: Mapping[str, Any] | None = None,
) -> Edited:
    """Apply `changes`, made on the expected revision, as the next one: as they are, merged, or not at all.

    Where both sides can't have their way, changes that say how the fields follow are made on those of now, if
    they can be. Raises PreconditionRequired, PreconditionFailed (also where it is stale and `merge` is
    False), BaseGone, EditConflict and what the changes raise on the expected revision.
    """
    head = opened.document.revision
    base = _base_number(opened, expected)
    if base != head and not merge:
        raise PreconditionFailed(extra={"revision": head})
    current = opened.fields()
    wanted = _changed(current, changes) if base == head else _merged(opened, current, changes, base)
    changed = {field: wanted[field] for field in current if wanted[field] != current[field]}
    if not changed:
        return Edited(opened.document, merged=False, revised=False)
    _advance(opened, wanted)
    with event_along(_event(opened, current, changed, facts)):
        row = _write(opened, current[BODY], base, note)
    return Edited(opened.document, merged=base != head, revised=True, row=row)


def _changed(
    fields: Mapping[str, Any], changes: Changes, read: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    return {**fields, **(changes(fields, read) if callable(changes) else changes)}


def _base_number(opened: OpenDocument, expected: ExpectedRevision | None) -> int:
    if expected is None:
        raise PreconditionRequired
    if expected.epoch != opened.epoch or not 1 <= expected.revision <= opened.document.revision:
        raise PreconditionFailed(extra={"revision": opened.document.revision})
    return expected.revision


def _merged(
    opened: OpenDocument, current: Mapping[str, Any], changes: Changes, base_number: int
) -> dict[str, Any]:
    try:
        base = revision_snapshot(opened.document.pk, base_number).fields()
    except (NotFound, RevisionGone):
        raise BaseGone from None
    yours = _changed(base, changes)
    result = merge_fields(base, yours, current, max_tags=limits.TAGS, max_bytes=limits.BODY_BYTES)
    if result.is_clean:
        return result.values
    if callable(changes):
        with suppress(OperationNotApplicable):
            again = _changed(current, changes, base)
            if not clash(again[BODY], yours[BODY], current[BODY]):
                return again
    head = opened.document.revision
    etag = document_etag(opened.epoch, head, _CONFLICT_TAIL)
    raise EditConflict(
        extra={
            "base": {"revision": base_number, **base},
            "yours": yours,
            "current": {"revision": head, "etag": etag, **current},
            "merged": result.values,
            "conflicts": [conflict.as_json() for conflict in result.conflicts],
        },
        headers={"ETag": etag},
    )


def _advance(opened: OpenDocument, wanted: Mapping[str, Any]) -> None:
    """Make the next revision of the rows at hand, which are yet to be written."""
    document, body = opened.document, opened.body
    for field in document.fields_of_revision():
        setattr(document, field, wanted[field])
    document.revision += 1
    document.updated_by_id, document.updated_actor = author_columns(opened.actor)
    document.updated_at = opened.actor.now
    encoded = wanted[BODY].encode()
    body.content, body.sha256, body.size = wanted[BODY], hashlib.sha256(encoded).digest(), len(encoded)


def _write(opened: OpenDocument, was: str, base: int, note: str) -> tuple[Any, ...]:
    document, body = opened.document, opened.body
    payload = payload_for(document.revision - 1, was, body.content)
    written = document_rows_revise(document, body, payload, base=base, note=note)
    if body.anchored and was != body.content:
        anchors_move(document, body, was)
    if not written.indexed:
        search_index_enqueue(actor=opened.actor)
    return written.row


def _event(
    opened: OpenDocument,
    before: Mapping[str, Any],
    changed: Mapping[str, Any],
    facts: Mapping[str, Any] | None,
) -> Entry:
    number = opened.document.revision
    changes = {field: (before[field], value) for field, value in changed.items() if field != BODY}
    if BODY in changed:
        changes[BODY] = (number - 1, number)
    return Entry(
        actor=opened.actor,
        action="document.updated",
        target=Target("document", opened.document.uid, opened.document.title),
        workspace_uid=opened.document.workspace.uid,
        changes=changes,
        facts={"revision": number, **(facts or {})},
    )
