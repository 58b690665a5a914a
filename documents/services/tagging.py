"""Tags: of one document, by the names that a batch or a workspace's change of tags gives."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import InvalidInput
from cloudscribe.lib.transactions import transactional
from documents import limits
from documents.etags import ExpectedRevision
from documents.models import Document
from documents.services.revising import Edited, document_open, document_revise


@transactional
def document_tags_change(
    *, actor: Actor, document: Document, add: Sequence[str] = (), remove: Collection[str] = ()
) -> Edited:
    """Take tags from a document and give it others, as its next revision; what changes nothing makes none.

    Raises NotFound, Forbidden, DocumentTrashed, DocumentArchived, InvalidInput beyond 50 tags.
    """
    return tags_revise(
        actor, document, lambda tags: [tag for tag in tags if tag not in remove] + list(add), note=""
    )


def tags_revise(
    actor: Actor, document: Document, change: Callable[[list[str]], list[str]], *, note: str
) -> Edited:
    """Make of a document's tags of now, held under its lock, those of the next revision; each once."""
    opened = document_open(actor, document)
    tags = list(dict.fromkeys(change(list(opened.document.tags))))
    if len(tags) > limits.TAGS:
        text = f"A document has {limits.TAGS} tags at most."
        raise InvalidInput.field("/add", "max_length", text)
    head = ExpectedRevision(opened.epoch, opened.document.revision)
    return document_revise(opened, {"tags": tags}, head, merge=False, note=note)
