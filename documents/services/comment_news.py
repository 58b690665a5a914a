"""Telling people of comments, under the rights of the moment at which they are told."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection

from django.db.models import Q

from accounts.notifications import NoticeKind
from accounts.services.notifications import News, notify
from cloudscribe.lib.actor import Actor, ActorKind
from cloudscribe.lib.transactions import transactional
from documents.models import Comment, Mention, Watch
from documents.notices import COMMENT_CREATED, COMMENT_MENTIONED
from documents.selectors.access import readers_among


@transactional
def comment_tell(*, actor: Actor, comment: uuid.UUID) -> None:
    """Tell of a comment those whom it concerns and who may see its document now, each once.

    Whoever it names hears of that; of a new one also those who take part in its thread, the document's owner,
    and who watches the document. Nobody hears of their own.
    """
    rows = Comment.objects.select_for_update(no_key=True, of=("self",))
    rows = rows.select_related("author", "thread__document__workspace")
    row = rows.filter(uid=comment, deleted_at=None).first()
    if row is None or row.thread.document.is_trashed:
        return
    untold = Mention.objects.filter(comment=row, told_at=None)
    named = set(untold.values_list("user_id", flat=True))
    concerned = set() if row.told_at else _concerned(row)
    _notify(actor, row, COMMENT_MENTIONED, named)
    _notify(actor, row, COMMENT_CREATED, concerned - named)
    untold.update(told_at=actor.now)
    Comment.objects.filter(pk=row.pk, told_at=None).update(told_at=actor.now)


def _notify(actor: Actor, comment: Comment, kind: NoticeKind, people: Collection[int]) -> None:
    document = comment.thread.document
    if not people:
        return
    facts = {"thread": str(comment.thread.uid), "comment": str(comment.uid)}
    news = News(kind, "document", document.uid, document.workspace.uid, facts)
    users = readers_among(document, people, actor.now)
    notify(actor=_author(actor, comment), users=users, news=news)


def _concerned(comment: Comment) -> set[int]:
    thread, document = comment.thread, comment.thread.document
    took_part = Comment.objects.filter(thread=thread, author__isnull=False).values_list(
        "author_id", flat=True
    )
    were_named = Mention.objects.filter(comment__thread=thread).values_list("user_id", flat=True)
    watched = Q(document=document) | Q(document__in=document.line, subtree=True)
    watched |= Q(workspace=document.workspace_id)
    watch = Watch.objects.filter(watched).values_list("user_id", flat=True)
    return {document.owner_id, *took_part, *were_named, *watch}


def _author(actor: Actor, comment: Comment) -> Actor:
    """Whoever wrote it, as news name them. The name of a guest is what they say that it is."""
    shown, person = comment.author_actor, comment.author
    if shown and shown["kind"] == ActorKind.LINK.value:
        return dataclasses.replace(actor, uid=None, pk=None, name=f"{shown['name']} (by a share link)")
    name = shown["name"] if shown else person.name if person else "Somebody"
    return dataclasses.replace(
        actor, uid=person.uid if person else None, pk=person.pk if person else None, name=name
    )
