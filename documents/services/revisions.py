"""Going back to what a document said before, which is a change like any other."""

from __future__ import annotations

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional
from documents.etags import ExpectedRevision
from documents.models import Document
from documents.selectors.revisions import revision_snapshot
from documents.services.revising import Edited, document_open, document_revise


@transactional
def revision_restore(
    *,
    actor: Actor,
    document: Document,
    number: int,
    expected: ExpectedRevision | None,
    merge: bool = True,
    note: str = "",
) -> Edited:
    """Make the fields and the body of revision `number` the next revision; nothing is cut off from history.

    What others wrote since the expected revision is merged or refused as in an edit. Raises as
    `document_update` does, NotFound for a number that never was, RevisionGone where its body is kept no
    longer.
    """
    opened = document_open(actor, document)
    wanted = revision_snapshot(opened.document.pk, number).fields()
    return document_revise(
        opened, wanted, expected, merge=merge, note=note, facts={"restored_revision": number}
    )
