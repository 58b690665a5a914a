"""Threads as a share link for commenting or editing shows them: by keys of its own, without a counter."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from cloudscribe.lib.errors import NotFound
from documents.anchors import CONTEXT, AnchorState, Found, Passage, Place, passage_find
from documents.link_secrets import LinkNames
from documents.mentions import without_ids
from documents.models import Comment, Document, Thread
from documents.policies import Action, can, require
from documents.selectors.comments import comments_of, comments_shown, thread_shown, threads_of, threads_shown
from documents.selectors.links import HeldLink
from documents.selectors.shared import shared_rows

# More than anybody reads through, and what stands below a text on its page.
MOST_THREADS, PAGE_THREADS = 500, 100

Shown = dict[str, Any]


def shared_thread(held: HeldLink, key: str) -> Thread:
    """The thread of a key with its document and workspace, if the link reaches that; raises NotFound."""
    uid = held.names.thread_uid(key)
    if uid is None:
        raise NotFound
    rows = Thread.objects.select_related("document__workspace").filter(uid=uid)
    thread = rows.filter(document__in=shared_rows(held)).first()
    if thread is None:
        raise NotFound
    return thread


def shared_threads_shown(held: HeldLink, document: Document, most: int = MOST_THREADS) -> list[Shown]:
    """The newest threads of a document in the order in which they were opened, each with its first comments.

    For links by which one may comment; raises Forbidden.
    """
    require(held.actor, Action.COMMENT, document)
    rows = list(threads_of(document).order_by("-pk")[:most])[::-1]
    by_uid = {row.uid: row for row in rows}
    shown = threads_shown(held.actor, document, rows)
    return [_thread(held.names, by_uid[answer["id"]], answer) for answer in shown]


def shared_talk_shown(held: HeldLink, document: Document) -> dict[str, list[Shown]]:
    """The newest of these threads, `open` and `settled`; none by a link for reading."""
    may = can(held.actor, Action.COMMENT, document)
    threads = shared_threads_shown(held, document, PAGE_THREADS) if may else []
    return {
        "open": [thread for thread in threads if not thread["resolved"]],
        "settled": [thread for thread in threads if thread["resolved"]],
    }


def shared_thread_shown(held: HeldLink, thread: Thread) -> Shown:
    """One thread, likewise; raises NotFound as `thread_shown` does."""
    return _thread(held.names, thread, thread_shown(held.actor, thread))


def shared_comments_shown(held: HeldLink, thread: Thread) -> list[Shown]:
    """All comments of a thread; raises Forbidden as above."""
    require(held.actor, Action.COMMENT, thread.document)
    return _comments(held, list(comments_of(thread).order_by("pk")), thread.uid)


def shared_comment_shown(held: HeldLink, comment: Comment, thread: uuid.UUID) -> Shown:
    """One comment."""
    return _comments(held, [comment], thread)[0]


def passage_find_shown(names: LinkNames, text: str, wanted: Passage) -> Found | None:
    """`passage_find` in the text with its keys: to find ids, letter by letter, would tell them."""
    masked = names.masked_whole(text)
    found = passage_find(masked.text, wanted)
    if found is None:
        return None
    start, end = masked.real(found.place.start, found.place.end)
    passage = Passage(text[start:end], text[max(0, start - CONTEXT) : start], text[end : end + CONTEXT])
    return Found(passage, Place(AnchorState.ANCHORED, start, end), found.occurrences)


def _comments(held: HeldLink, rows: Sequence[Comment], thread: uuid.UUID) -> list[Shown]:
    return [_comment(held.names, answer) for answer in comments_shown(held.actor, rows, thread)]


def _comment(names: LinkNames, answer: Shown) -> Shown:
    return {
        "key": names.comment_key(answer["id"]),
        "body": names.masked(without_ids(answer["body"])),
        "author": _author(answer["author"]),
        "deleted": answer["deleted"],
        "reactions": [{"emoji": sign["emoji"], "count": sign["count"]} for sign in answer["reactions"]],
        "edited_at": answer["edited_at"],
        "created_at": answer["created_at"],
    }


def _thread(names: LinkNames, thread: Thread, answer: Shown) -> Shown:
    return {
        "key": names.thread_key(thread.uid),
        "body": names.masked(without_ids(answer["body"])),
        "author": _author(answer["author"]),
        "anchor": _anchor(names, thread),
        "resolved": answer["resolved"],
        "comments": [_comment(names, comment) for comment in answer["comments"]],
        "more_comments": answer["more_comments"],
        "created_at": answer["created_at"],
    }


def _author(author: Shown | None) -> Shown | None:
    return None if author is None else {"kind": author["kind"], "name": author["name"]}


def _anchor(names: LinkNames, thread: Thread) -> Shown | None:
    if thread.anchor == AnchorState.NONE:
        return None
    start = len(thread.prefix)
    around = f"{thread.prefix}{thread.quote}{thread.suffix}"
    quote = names.masked_part(around, start, start + len(thread.quote))
    now = names.masked_part(thread.quote_now, 0, len(thread.quote_now))
    shown = {AnchorState.ANCHORED: quote, AnchorState.CHANGED: now}
    return {"state": thread.anchor, "quote": quote, "quote_now": shown.get(AnchorState(thread.anchor))}
