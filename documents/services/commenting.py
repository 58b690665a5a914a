"""Threads and comments: written by whoever may comment, changed by their authors, removed by managers, too.

Every write holds the document's row. So a reply and the removal of what it answers, or two who resolve, come
one after the other, and no passage is quoted while the body is being changed.
"""

from __future__ import annotations

import dataclasses
import uuid
from typing import Any

from django.db.models import Q

from accounts.actors import stranger
from accounts.models import User
from audit.services import Target, event_record
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor, ActorKind
from cloudscribe.lib.errors import Forbidden, NotFound
from cloudscribe.lib.postgresql.compiled import CompiledQuery
from cloudscribe.lib.transactions import transactional
from documents import limits
from documents.authors import author_columns
from documents.exceptions import DocumentArchived, DocumentTrashed, LegalHold, TooManyComments
from documents.mentions import mentioned
from documents.models import Comment, Document, DocumentBody, Mention, Reaction, State, Thread
from documents.policies import Action, can, require
from documents.queues import COMMENT_TELL
from documents.selectors.access import readers_among
from documents.selectors.editing import document_locked
from documents.selectors.holds import document_is_held
from documents.services.anchoring import Quoted, anchor_clear, anchor_set
from documents.services.locking import Strength, actor_renewed, document_held, workspace_lock

_THREAD = CompiledQuery(
    lambda pk, document: Thread.objects.filter(pk=pk, document_id=document), pk=int, document=int
)
_COMMENT = CompiledQuery(
    lambda pk: Comment.objects.select_related("author").filter(pk=pk, deleted_at=None), pk=int
)


@dataclasses.dataclass(frozen=True, slots=True)
class Guest:
    """Whoever writes by a share link: the link's key, and the name that they gave themselves."""

    link: int
    name: str


@dataclasses.dataclass(frozen=True, slots=True)
class Opened:
    """A new thread, or one that hangs elsewhere now.

    `occurrences` is how often its quote stands in the revision that it was taken from, 0 without a quote.
    """

    thread: Thread
    occurrences: int = 0


@transactional
def thread_create(*, actor: Actor, document: Document, body: str, quoted: Quoted | None = None) -> Opened:
    """Open a thread by its first comment, about the document or about a passage of it.

    Raises NotFound, Forbidden, DocumentTrashed, DocumentArchived, and what `anchor_set` does.
    """
    return thread_add(actor, document, body, quoted)


def thread_add(
    actor: Actor, document: Document, body: str, quoted: Quoted | None, guest: Guest | None = None
) -> Opened:
    """`thread_create` within the caller's transaction."""
    actor, document, text = _body_open(actor, document)
    thread = Thread(document=document, created_at=actor.now, updated_at=actor.now)
    thread.author_id, thread.author_actor = _author(actor, guest)
    occurrences = anchor_set(thread, document, text, quoted) if quoted else 0
    thread.save(force_insert=True)
    _comment_insert(actor, thread, body, guest)
    return Opened(thread, occurrences)


@transactional
def thread_anchor(*, actor: Actor, thread: Thread, quoted: Quoted | None) -> Opened:
    """Hang a thread on another passage, or on the document as a whole: its author and editors may.

    Raises as `thread_create` does.
    """
    actor, document, text = _body_open(actor, thread.document)
    thread = _fresh(thread, document)
    _own_or(actor, thread, Action.EDIT)
    before = thread.anchor, thread.start, thread.end
    occurrences = 0
    if quoted is None:
        anchor_clear(thread)
    else:
        occurrences = anchor_set(thread, document, text, quoted)
    if (thread.anchor, thread.start, thread.end) != before:
        thread.updated_at = actor.now
        columns = ("anchor", "revision", "quote", "prefix", "suffix", "quote_now", "start", "end")
        thread.save(update_fields=[*columns, "updated_at"])
        _event(actor, thread, "thread.anchored", {"anchor": (before[0], str(thread.anchor))})
    return Opened(thread, occurrences)


@transactional
def thread_resolve(*, actor: Actor, thread: Thread, resolved: bool) -> Thread:
    """Note that a thread is settled, or isn't: its author and editors may; what is so already stays.

    Raises NotFound, Forbidden, DocumentTrashed, DocumentArchived.
    """
    actor, thread = _thread_open(actor, thread)
    _own_or(actor, thread, Action.EDIT)
    if (thread.resolved_at is not None) == resolved:
        return thread
    by, by_actor = author_columns(actor) if resolved else (None, None)
    thread.resolved_at = actor.now if resolved else None
    thread.resolved_by_id, thread.resolved_actor, thread.updated_at = by, by_actor, actor.now
    thread.save(update_fields=["resolved_at", "resolved_by", "resolved_actor", "updated_at"])
    _event(actor, thread, "thread.resolved" if resolved else "thread.reopened", {})
    return thread


@transactional
def thread_delete(*, actor: Actor, thread: Thread) -> None:
    """Remove a thread with all that was said in it: managers may, and its author until others answer.

    Raises NotFound, Forbidden, DocumentTrashed, DocumentArchived, LegalHold, WorkspaceBusy.
    """
    _removal_begin(thread.document)
    actor, thread = _thread_open(actor, thread)
    _hold_check(thread.document)
    others = Comment.objects.filter(
        ~Q(author_id=actor.pk) | Q(author_id=None), thread=thread, deleted_at=None
    )
    if not can(actor, Action.PURGE, thread.document) and (not _is_own(actor, thread) or others.exists()):
        raise Forbidden("Only who manages the document removes what others said.")
    _event(actor, thread, "thread.deleted", {}, comments=Comment.objects.filter(thread=thread).count())
    thread.delete()


@transactional
def comment_create(*, actor: Actor, thread: Thread, body: str) -> Comment:
    """Answer in a thread, settled or not.

    Raises NotFound, Forbidden, DocumentTrashed, DocumentArchived, TooManyComments.
    """
    return comment_add(actor, thread, body)


def comment_add(actor: Actor, thread: Thread, body: str, guest: Guest | None = None) -> Comment:
    """`comment_create` within the caller's transaction."""
    actor, thread = _thread_open(actor, thread)
    if Comment.objects.filter(thread=thread).count() >= limits.COMMENTS:
        raise TooManyComments
    comment = _comment_insert(actor, thread, body, guest)
    _touch(actor, thread)
    return comment


@transactional
def comment_update(*, actor: Actor, comment: Comment, body: str) -> Comment:
    """Say it otherwise: its author may. Who is named for the first time is told.

    Raises NotFound, Forbidden, DocumentTrashed, DocumentArchived, LegalHold, WorkspaceBusy.
    """
    _removal_begin(comment.thread.document)
    actor, comment = _comment_open(actor, comment)
    if not _is_own(actor, comment):
        raise Forbidden("Only its author changes a comment.")
    if comment.body == body:
        return comment
    _hold_check(comment.thread.document)
    lengths = (len(comment.body), len(body))
    comment.body, comment.edited_at = body, actor.now
    comment.save(update_fields=["body", "edited_at"])
    if _mentions_set(actor, comment):
        _tell(actor, comment)
    _event(actor, comment.thread, "comment.updated", {"length": lengths}, comment)
    _touch(actor, comment.thread)
    return comment


@transactional
def comment_delete(*, actor: Actor, comment: Comment) -> None:
    """Take a comment back: its author may, and managers. Where others follow its place stays, empty.

    With the last comment the thread goes. Raises NotFound, Forbidden, DocumentTrashed, DocumentArchived,
    LegalHold, WorkspaceBusy.
    """
    _removal_begin(comment.thread.document)
    actor, comment = _comment_open(actor, comment)
    thread = comment.thread
    if not _is_own(actor, comment) and not can(actor, Action.PURGE, thread.document):
        raise Forbidden("Only its author and who manages the document remove a comment.")
    _hold_check(thread.document)
    _event(actor, thread, "comment.deleted", {"length": (len(comment.body), None)}, comment)
    if Comment.objects.filter(thread=thread, pk__gt=comment.pk).exists():
        _comment_empty(actor, comment)
    else:
        comment.delete()
        _end_trim(thread)
    _touch(actor, thread)


def document_open_for_comments(actor: Actor, document: Document) -> tuple[Actor, Document]:
    """The actor of now and the document, held, which may be commented on. Locks of bodies don't count.

    Raises NotFound, Forbidden, DocumentTrashed, DocumentArchived.
    """
    try:
        actor, held = document_held(actor, document)
    except DocumentTrashed:
        raise DocumentTrashed if can(actor, Action.EDIT, document) else NotFound from None
    _comment_check(actor, held)
    return actor, held


def _body_open(actor: Actor, document: Document) -> tuple[Actor, Document, DocumentBody]:
    """As `document_open_for_comments`, with the body, locked as writers of it lock both."""
    held, body = document_locked(document.pk)
    actor = actor_renewed(actor)
    if not can(actor, Action.SEE, held) or (held.is_trashed and not can(actor, Action.EDIT, held)):
        raise NotFound
    if held.is_trashed:
        raise DocumentTrashed
    _comment_check(actor, held)
    return actor, held, body


def _comment_check(actor: Actor, document: Document) -> None:
    require(actor, Action.COMMENT, document)
    if document.state == State.ARCHIVED:
        raise DocumentArchived


def _thread_open(actor: Actor, thread: Thread) -> tuple[Actor, Thread]:
    actor, document = document_open_for_comments(actor, thread.document)
    return actor, _fresh(thread, document)


def _fresh(thread: Thread, document: Document) -> Thread:
    """The thread as it is now that its document is held."""
    row = _THREAD.first(pk=thread.pk, document=document.pk)
    if row is None:
        raise NotFound
    row.document = document
    return row


def _comment_open(actor: Actor, comment: Comment) -> tuple[Actor, Comment]:
    actor, thread = _thread_open(actor, comment.thread)
    row = _COMMENT.first(pk=comment.pk)
    if row is None:
        raise NotFound
    row.thread = thread
    return actor, row


def _removal_begin(document: Document) -> None:
    """As whatever removes: who places a hold meanwhile waits, and finds nothing left to hold."""
    workspace_lock(document.workspace_id, Strength.REWRITE)


def _hold_check(document: Document) -> None:
    if document_is_held(document):
        raise LegalHold


def _is_own(actor: Actor, row: Thread | Comment) -> bool:
    return actor.pk is not None and row.author_id == actor.pk


def _own_or(actor: Actor, thread: Thread, action: Action) -> None:
    if not _is_own(actor, thread):
        require(actor, action, thread.document)


def _author(actor: Actor, guest: Guest | None) -> tuple[int | None, dict[str, Any] | None]:
    by, by_actor = author_columns(actor)
    return (by, {**by_actor, "name": guest.name}) if guest and by_actor else (by, by_actor)


def _comment_insert(actor: Actor, thread: Thread, body: str, guest: Guest | None) -> Comment:
    comment = Comment(thread=thread, body=body, created_at=actor.now)
    comment.author_id, comment.author_actor = _author(actor, guest)
    comment.link_id = guest.link if guest else None
    comment.save(force_insert=True)
    _mentions_set(actor, comment)
    _tell(actor, comment)
    _event(actor, thread, "comment.created", {"length": (None, len(body))}, comment)
    return comment


def _mentions_set(actor: Actor, comment: Comment) -> bool:
    """Note whom a comment names of those who see the document now; whether somebody is new among them.

    Who doesn't see it and who doesn't exist are text alike. Whoever comes by a link names nobody.
    """
    wanted = [] if actor.kind is ActorKind.LINK else mentioned(comment.body)
    known = dict(Mention.objects.filter(comment=comment).values_list("user__uid", "pk"))
    Mention.objects.filter(pk__in=[pk for uid, pk in known.items() if uid not in wanted]).delete()
    fresh = [uid for uid in wanted if uid not in known]
    if not fresh:
        return False
    people = dict(User.objects.filter(uid__in=fresh).values_list("uid", "pk"))
    readers = readers_among(comment.thread.document, people.values(), actor.now)
    named = [people[uid] for uid in fresh if people.get(uid) in readers]
    rows = [Mention(comment=comment, user_id=pk) for pk in named]
    Mention.objects.bulk_create(rows)
    return bool(rows)


def _tell(actor: Actor, comment: Comment) -> None:
    # Nobody's job: the author would find in its result who reads the document.
    work = stranger("comments", actor.now)
    payload = {"comment": str(comment.uid)}
    job_enqueue(actor=work, kind=COMMENT_TELL, payload=payload, dedupe_key=f"{COMMENT_TELL}:{comment.uid}")


def _comment_empty(actor: Actor, comment: Comment) -> None:
    comment.body, comment.deleted_at = "", actor.now
    comment.author_id = comment.author_actor = None
    comment.save(update_fields=["body", "deleted_at", "author", "author_actor"])
    Mention.objects.filter(comment=comment).delete()
    Reaction.objects.filter(comment=comment).delete()
    if not Comment.objects.filter(thread=comment.thread, pk__lt=comment.pk).exists():
        Thread.objects.filter(pk=comment.thread_id).update(author=None, author_actor=None)


def _end_trim(thread: Thread) -> None:
    """Remove the empty places at the end, behind which nothing follows any more; without the last, all."""
    alive = Comment.objects.filter(thread=thread, deleted_at=None).order_by("-pk")
    last = alive.values_list("pk", flat=True).first()
    if last is None:
        thread.delete()
    else:
        Comment.objects.filter(thread=thread, pk__gt=last).delete()


def _touch(actor: Actor, thread: Thread) -> None:
    Thread.objects.filter(pk=thread.pk).update(updated_at=actor.now)


def _event(
    actor: Actor,
    thread: Thread,
    action: str,
    changes: dict[str, tuple[Any, Any]],
    comment: Comment | None = None,
    **facts: Any,
) -> None:
    """What was said is personal: the trail knows how long it was."""
    document = thread.document
    about: dict[str, uuid.UUID] = {"document": document.uid, "thread": thread.uid}
    target = ("comment", comment.uid) if comment else ("thread", thread.uid)
    event_record(
        actor=actor,
        action=action,
        target=Target(*target, document.title),
        workspace_uid=document.workspace.uid,
        changes=changes,
        facts={**{name: str(uid) for name, uid in about.items()}, **facts},
    )
