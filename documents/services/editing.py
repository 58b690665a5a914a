"""Editing a document without losing anybody's work."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional
from documents.etags import ExpectedRevision
from documents.models import Document
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
