"""Editing a document without losing anybody's work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional
from documents import limits
from documents.etags import ExpectedRevision
from documents.merge.fields import BODY
from documents.models import Document
from documents.operations import Operation, operated
from documents.services.revising import Edited, document_open, document_revise


@transactional
def document_update(
    *,
    actor: Actor,
    document: Document,
    changes: Mapping[str, Any],
    expected: ExpectedRevision | None,
    merge: bool = True,
    note: str = "",
) -> Edited:
    """Change any of `title content language tags icon template`, from the revision that the client edited.

    Where others have written since, both are merged: one new revision, or EditConflict and nothing is
    written; with `merge` False PreconditionFailed. What changes nothing makes no revision. Raises
    PreconditionRequired without `expected`, BaseGone where the base's body is kept no longer, NotFound,
    Forbidden, DocumentTrashed, DocumentArchived.
    """
    opened = document_open(actor, document)
    return document_revise(opened, changes, expected, merge=merge, note=note)


@transactional
def document_operate(
    *,
    actor: Actor,
    document: Document,
    operations: Sequence[Operation],
    expected: ExpectedRevision | None,
    merge: bool = True,
    note: str = "",
) -> Edited:
    """Do small edits to the body, in their order, on the revision that the client read.

    What others have written since is merged as in any edit. Where that is a conflict, but every operation
    fits the text of now as well, and what one replaces still stands there, they are done there. Raises as
    `document_update` does, and OperationNotApplicable where one doesn't fit what the client read; then none
    is done.
    """

    def changes(fields: Mapping[str, Any], read: Mapping[str, Any] | None) -> dict[str, Any]:
        was = read[BODY] if read else None
        return {BODY: operated(fields[BODY], operations, max_bytes=limits.BODY_BYTES, read=was)}

    opened = document_open(actor, document)
    return document_revise(opened, changes, expected, merge=merge, note=note)
