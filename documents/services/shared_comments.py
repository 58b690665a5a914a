"""Comments by a share link: whoever holds it writes under a name that they give themselves."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional
from documents.anchors import Passage
from documents.exceptions import DocumentTrashed, LinkCommentsSpent
from documents.models import Comment, Document, Thread
from documents.selectors.links import HeldLink
from documents.selectors.shared_comments import passage_find_shown
from documents.services.anchoring import Quoted
from documents.services.commenting import Guest, comment_add, thread_add
from documents.services.link_visits import Visitor, link_use

# So many comments by one link within an hour, whoever holds it.
HOURLY = 60
_HOUR = dt.timedelta(hours=1)


@transactional
def shared_thread_create(
    *,
    held: HeldLink,
    document: Document,
    body: str,
    name: str,
    passage: Passage | None,
    visitor: Visitor | None,
) -> Thread:
    """Open a thread; `body` and `passage` name documents and files by the link's keys.

    A write outside of a visit, by a `visitor`, is a use of its own. Raises as `thread_create` does, but
    NotFound for what lies in the trash, and LinkCommentsSpent.
    """
    find = partial(passage_find_shown, held.names)
    quoted = Quoted(passage, find=find) if passage else None
    said = held.names.unmasked(body)
    with _told_to_strangers():
        thread = thread_add(held.actor, document, said, quoted, Guest(held.link.pk, name)).thread
    _spent_check(held)
    _use(held, visitor)
    return thread


@transactional
def shared_comment_create(
    *, held: HeldLink, thread: Thread, body: str, name: str, visitor: Visitor | None
) -> Comment:
    """Answer in a thread; raises as `comment_create` does, and as above."""
    said = held.names.unmasked(body)
    with _told_to_strangers():
        comment = comment_add(held.actor, thread, said, Guest(held.link.pk, name))
    _spent_check(held)
    _use(held, visitor)
    return comment


def _spent_check(held: HeldLink) -> None:
    """After the write, which holds the document: of many at once each counts those before it."""
    hour = Comment.objects.filter(link_id=held.link.pk, created_at__gt=held.actor.now - _HOUR)
    if hour.count() > HOURLY:
        raise LinkCommentsSpent(int(_HOUR.total_seconds()))


def _use(held: HeldLink, visitor: Visitor | None) -> None:
    if visitor is not None:
        # After the document, as who revokes the link locks both in this order.
        link_use(held=held, visitor=visitor)


@contextmanager
def _told_to_strangers() -> Iterator[None]:
    try:
        yield
    except DocumentTrashed:
        raise NotFound from None
