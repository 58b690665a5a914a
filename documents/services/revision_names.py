"""Names of revisions, by which people find them again and retention leaves them alone."""

from __future__ import annotations

from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional
from documents.exceptions import DocumentArchived, RevisionGone
from documents.models import Document, Revision, RevisionName, RevisionPayload, State
from documents.policies import Action, require
from documents.services.locking import document_held


@transactional
def revision_name_set(*, actor: Actor, document: Document, number: int, name: str) -> None:
    """Call revision `number` of a document by a name, or by none where `name` is empty.

    Raises NotFound, Forbidden, DocumentTrashed, DocumentArchived, and RevisionGone where the body that a name
    would keep is gone.
    """
    # Retention holds the same lock: it sees the name, or this sees what it took.
    actor, document = document_held(actor, document)
    require(actor, Action.EDIT, document)
    if document.state == State.ARCHIVED:
        raise DocumentArchived
    revision = Revision.objects.select_related("naming").filter(document=document, number=number).first()
    if revision is None:
        raise NotFound
    naming: RevisionName | None = getattr(revision, "naming", None)
    before = naming.name if naming else ""
    if before == name:
        return
    if naming is not None and not name:
        naming.delete()
    elif naming is not None:
        naming.name, naming.named_by_id, naming.created_at = name, actor.pk, actor.now
        naming.save(update_fields=["name", "named_by", "created_at"])
    else:
        _check_kept(document, revision)
        RevisionName.objects.create(
            revision=revision, document=document, name=name, named_by_id=actor.pk, created_at=actor.now
        )
    event_record(
        actor=actor,
        action="revision.named",
        target=Target("document", document.uid, document.title),
        workspace_uid=document.workspace.uid,
        changes={"name": (before, name)},
        facts={"revision": number},
    )


def _check_kept(document: Document, revision: Revision) -> None:
    kept = RevisionPayload.objects.filter(revision=revision)
    if revision.number != document.revision and not kept.exists():
        raise RevisionGone
