"""Threads and comments as somebody may see them: always through their document."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Count, F, Min, Q, QuerySet, Window
from django.db.models.functions import RowNumber

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.postgresql.arrays import array_text, one_of
from cloudscribe.lib.postgresql.compiled import CompiledQuery
from documents.anchors import AnchorState
from documents.authors import author_reference
from documents.exceptions import DocumentTrashed
from documents.mentions import renamed
from documents.models import Comment, Document, Mention, Reaction, Thread
from documents.policies import Action, can

# Comments that come along with a thread; the others are a page of their own.
SHOWN_LISTED, SHOWN_ALONE = 10, 100

Shown = dict[str, Any]

_THREAD = CompiledQuery(
    lambda uid: Thread.objects.select_related("resolved_by", "document__workspace").filter(uid=uid),
    uid=uuid.UUID,
)
_COMMENT = CompiledQuery(
    lambda uid: Comment.objects.select_related("author", "thread__document__workspace").filter(
        uid=uid, deleted_at=None
    ),
    uid=uuid.UUID,
)

_NUMBER = Window(RowNumber(), partition_by=F("thread_id"), order_by=F("id").asc())
_FIRST_COMMENTS = CompiledQuery(
    lambda threads, most: (
        Comment.objects.filter(one_of("thread", threads))
        .annotate(number=_NUMBER)
        .filter(number__lte=most)
        .select_related("author")
        .order_by("thread_id", "pk")
    ),
    threads=str,
    most=int,
)
_MENTIONS = CompiledQuery(
    lambda comments: (
        Mention.objects.filter(one_of("comment", comments)).select_related("user").order_by("pk")
    ),
    comments=str,
)
_REACTIONS = CompiledQuery(
    lambda comments, me: (
        Reaction.objects.filter(one_of("comment", comments))
        .values("comment_id", "emoji")
        .annotate(count=Count("pk"), mine=Count("pk", filter=Q(user_id=me)), first=Min("pk"))
        .order_by("first")
        .values_list("comment_id", "emoji", "count", "mine")
    ),
    comments=str,
    me=int,
)


def threads_of(document: Document) -> QuerySet[Thread]:
    """The threads of a document that the caller has found for the actor."""
    return Thread.objects.filter(document_id=document.pk).select_related("resolved_by")


def thread_find(actor: Actor, uid: uuid.UUID) -> Thread:
    """The thread with its document and workspace, if the actor may see that.

    Raises NotFound for what is absent or hidden, in the trash too unless the actor may edit it, and then
    DocumentTrashed.
    """
    thread = _THREAD.first(uid=uid)
    if thread is None:
        raise NotFound
    _seen(actor, thread.document)
    return thread


def comment_find(actor: Actor, uid: uuid.UUID) -> Comment:
    """The comment with thread, document and workspace, likewise; a deleted one is absent."""
    comment = _COMMENT.first(uid=uid)
    if comment is None:
        raise NotFound
    _seen(actor, comment.thread.document)
    return comment


def comments_of(thread: Thread) -> QuerySet[Comment]:
    """The comments of a thread, with the empty places of deleted ones."""
    return Comment.objects.filter(thread_id=thread.pk).select_related("author")


def reactions_of(comment: Comment) -> QuerySet[Reaction]:
    """Who reacted to a comment."""
    return Reaction.objects.filter(comment_id=comment.pk).select_related("user")


def threads_shown(
    actor: Actor, document: Document, threads: Sequence[Thread], *, most: int = SHOWN_LISTED
) -> list[Shown]:
    """The threads as answers show them, each with its first `most` comments: three statements for all.

    Without those that somebody has removed since they were read.
    """
    said = _first_comments(threads, most)
    shown = _by_key(actor, [comment for comments in said.values() for comment in comments])
    there = [thread for thread in threads if said.get(thread.pk)]
    return [_thread(thread, document, said[thread.pk], shown, most) for thread in there]


def thread_shown(actor: Actor, thread: Thread) -> Shown:
    """One thread as answers show it; raises NotFound for one that somebody has just removed."""
    shown = threads_shown(actor, thread.document, [thread], most=SHOWN_ALONE)
    if not shown:
        raise NotFound
    return shown[0]


def comments_shown(actor: Actor, comments: Sequence[Comment], thread: uuid.UUID) -> list[Shown]:
    """Comments of one thread as answers show them: two statements for all."""
    shown = _by_key(actor, comments)
    return [{**shown[comment.pk], "thread": thread} for comment in comments]


def comment_shown(actor: Actor, comment: Comment) -> Shown:
    """One comment as answers show it."""
    return comments_shown(actor, [comment], comment.thread.uid)[0]


def _seen(actor: Actor, document: Document) -> None:
    if not can(actor, Action.SEE, document):
        raise NotFound
    if document.is_trashed:
        raise DocumentTrashed if can(actor, Action.EDIT, document) else NotFound


def _first_comments(threads: Iterable[Thread], most: int) -> dict[int, list[Comment]]:
    """By thread its first comments, and one more where there are more."""
    said: dict[int, list[Comment]] = defaultdict(list)
    for comment in _FIRST_COMMENTS.rows(threads=array_text(thread.pk for thread in threads), most=most + 1):
        said[comment.thread_id].append(comment)
    return said


def _by_key(actor: Actor, comments: Sequence[Comment]) -> dict[int, Shown]:
    keys = array_text(comment.pk for comment in comments)
    named: dict[int, list[Mention]] = defaultdict(list)
    for mention in _MENTIONS.rows(comments=keys):
        named[mention.comment_id].append(mention)
    reactions: dict[int, list[Shown]] = defaultdict(list)
    for comment_pk, emoji, count, mine in _REACTIONS.rows(comments=keys, me=actor.pk or 0):
        reactions[comment_pk].append({"emoji": emoji, "count": count, "mine": mine > 0})
    return {comment.pk: _comment(comment, named[comment.pk], reactions[comment.pk]) for comment in comments}


def _comment(comment: Comment, named: Sequence[Mention], reactions: Sequence[Shown]) -> Shown:
    names = {mention.user.uid: mention.user.name for mention in named}
    return {
        "id": comment.uid,
        "body": renamed(comment.body, names) if names else comment.body,
        "author": author_reference(comment.author, comment.author_actor),
        "deleted": comment.deleted_at is not None,
        "mentions": [{"id": uid, "name": name} for uid, name in names.items()],
        "reactions": list(reactions),
        "edited_at": comment.edited_at,
        "created_at": comment.created_at,
        "updated_at": comment.updated_at,
    }


def _thread(
    thread: Thread, document: Document, said: Sequence[Comment], shown: dict[int, Shown], most: int
) -> Shown:
    comments = [{**shown[comment.pk], "thread": thread.uid} for comment in said[:most]]
    return {
        "id": thread.uid,
        "document": document.uid,
        "body": comments[0]["body"],
        "author": comments[0]["author"],
        "anchor": _anchor(thread),
        "resolved": thread.resolved_at is not None,
        "resolved_at": thread.resolved_at,
        "resolved_by": author_reference(thread.resolved_by, thread.resolved_actor),
        "comments": comments,
        "more_comments": len(said) > most,
        "created_at": thread.created_at,
        "updated_at": thread.updated_at,
    }


def _anchor(thread: Thread) -> Shown | None:
    if thread.anchor == AnchorState.NONE:
        return None
    stands = thread.anchor != AnchorState.GONE
    now = {AnchorState.ANCHORED: thread.quote, AnchorState.CHANGED: thread.quote_now}
    return {
        "state": thread.anchor,
        "revision": thread.revision,
        "quote": thread.quote,
        "prefix": thread.prefix,
        "suffix": thread.suffix,
        "quote_now": now.get(AnchorState(thread.anchor)),
        "start": thread.start if stands else None,
        "end": thread.end if stands else None,
    }
