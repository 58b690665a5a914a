"""Signs at comments: each person gives each one once and takes it back."""

from __future__ import annotations

from accounts.actors import person_pk
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional
from documents.models import Comment, Reaction
from documents.services.commenting import document_open_for_comments


@transactional
def reaction_add(*, actor: Actor, comment: Comment, emoji: str) -> bool:
    """React to a comment; False where the actor had done so before, and nothing changed.

    Raises NotFound, Forbidden, DocumentTrashed, DocumentArchived.
    """
    actor = _open(actor, comment)
    _, made = Reaction.objects.get_or_create(comment=comment, user_id=person_pk(actor), emoji=emoji)
    if made:
        _event(actor, comment, "reaction.added", emoji)
    return made


@transactional
def reaction_remove(*, actor: Actor, comment: Comment, emoji: str) -> None:
    """Take a reaction back, if there is one; raises as `reaction_add` does."""
    actor = _open(actor, comment)
    mine = Reaction.objects.filter(comment=comment, user_id=person_pk(actor), emoji=emoji)
    if mine.delete()[0]:
        _event(actor, comment, "reaction.removed", emoji)


def _open(actor: Actor, comment: Comment) -> Actor:
    """The actor of now, who may comment; the comment is still there, as its document is held."""
    actor, _ = document_open_for_comments(actor, comment.thread.document)
    if not Comment.objects.filter(pk=comment.pk, deleted_at=None).exists():
        raise NotFound
    return actor


def _event(actor: Actor, comment: Comment, action: str, emoji: str) -> None:
    document = comment.thread.document
    event_record(
        actor=actor,
        action=action,
        target=Target("comment", comment.uid, document.title),
        workspace_uid=document.workspace.uid,
        changes={"emoji": (None, emoji) if action == "reaction.added" else (emoji, None)},
        facts={"document": str(document.uid), "thread": str(comment.thread.uid)},
    )
