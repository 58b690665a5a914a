"""Where the passages stand that threads hang on: found when one is quoted, moved when the body changes."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import orjson

from cloudscribe.lib.errors import InvalidInput, NotFound
from cloudscribe.lib.postgresql.base import prepared_rows
from documents import limits
from documents.anchors import AnchorState, Found, Move, Passage, Place, passage_find
from documents.exceptions import TooManyThreads
from documents.models import Document, DocumentBody, Thread
from documents.selectors.revisions import revision_snapshot

_HANGING_SQL = """SELECT id, anchor, quote, prefix, suffix, quote_now, start, "end" FROM documents_thread
WHERE document_id = %s::bigint AND anchor <> 'none' ORDER BY id FOR NO KEY UPDATE"""
_MOVE_SQL = """UPDATE documents_thread t
SET anchor = m.anchor, quote_now = m.quote_now, start = m.start, "end" = m.stop
FROM jsonb_to_recordset(%s::jsonb) AS m(id bigint, anchor text, quote_now text, start integer, stop integer)
WHERE t.id = m.id"""


@dataclasses.dataclass(frozen=True, slots=True)
class Quoted:
    """A passage as whoever quotes it names it: of which revision, None for the newest.

    `find` looks for it, for those who read the body in another form.
    """

    passage: Passage
    revision: int | None = None
    find: Callable[[str, Passage], Found | None] = passage_find


def anchor_set(thread: Thread, document: Document, body: DocumentBody, quoted: Quoted) -> int:
    """Hang an unsaved change of `thread` on a passage; how often its quote stands in that revision.

    For services that hold document and body, so that what is written next moves it along. A passage of an
    older revision is carried forward to the body of now. Raises InvalidInput for a revision that never was
    and for a quote that doesn't stand there, RevisionGone, TooManyThreads.
    """
    head = document.revision
    number = quoted.revision or head
    then = body.content if number == head else _body_of(document, number)
    found = quoted.find(then, quoted.passage)
    if found is None:
        body_of = f"The body of revision {number}" if quoted.revision else "The body"
        text = f"{body_of} holds no such text."
        raise InvalidInput.field("/quote", "quote_not_found", text)
    _room_check(thread, document)
    passage, place = _carried(found, then, body.content)
    thread.revision, thread.quote = number, passage.quote
    thread.prefix, thread.suffix = passage.prefix, passage.suffix
    thread.anchor, thread.start, thread.end = str(place.state), place.start, place.end
    thread.quote_now = _quote_now(place, body.content)
    if not body.anchored:
        DocumentBody.objects.filter(pk=body.pk).update(anchored=True)
    return found.occurrences


def anchor_clear(thread: Thread) -> None:
    """Have an unsaved change of `thread` hang on the document as a whole."""
    thread.anchor, thread.revision, thread.start, thread.end = str(AnchorState.NONE), None, None, None
    thread.quote = thread.prefix = thread.suffix = thread.quote_now = ""


def anchors_move(document: Document, body: DocumentBody, was: str) -> None:
    """Move the passages of a document along with its body, which was `was`, in the writer's transaction.

    For the writer, who holds the document, so that none is added meanwhile. Two statements at most.
    """
    rows = prepared_rows(_HANGING_SQL, [str(document.pk)])
    if not rows:
        DocumentBody.objects.filter(pk=body.pk).update(anchored=False)
        return
    move, new = Move(was, body.content), body.content
    moved = [after for row in rows if (after := _moved(move, new, row)) is not None]
    if moved:
        prepared_rows(_MOVE_SQL, [orjson.dumps(moved).decode()])


def _moved(move: Move, new: str, row: tuple[Any, ...]) -> dict[str, Any] | None:
    """What becomes of one row, None where it stays as it is."""
    pk, anchor, quote, prefix, suffix, quote_now, start, end = row
    place = move.place(Passage(quote, prefix, suffix), Place(AnchorState(anchor), start, end))
    now = _quote_now(place, new)
    if (str(place.state), now, place.start, place.end) == (anchor, quote_now, start, end):
        return None
    return {"id": pk, "anchor": place.state, "quote_now": now, "start": place.start, "stop": place.end}


def _quote_now(place: Place, text: str) -> str:
    return text[place.start : place.end] if place.state is AnchorState.CHANGED else ""


def _body_of(document: Document, number: int) -> str:
    try:
        return revision_snapshot(document.pk, number).content
    except NotFound:
        text = "The document has no such revision."
        raise InvalidInput.field("/revision", "unknown_revision", text) from None


def _carried(found: Found, then: str, now: str) -> tuple[Passage, Place]:
    if then == now:
        return found.passage, found.place
    return found.passage, Move(then, now).place(found.passage, found.place)


def _room_check(thread: Thread, document: Document) -> None:
    """Every edit of the body moves them all, so there is an end to them."""
    others = Thread.objects.filter(document_id=document.pk).exclude(anchor=AnchorState.NONE)
    if others.exclude(pk=thread.pk).count() >= limits.THREADS_ANCHORED:
        raise TooManyThreads
