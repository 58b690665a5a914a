"""Who wrote which line of a document: the history read backwards, as far as that can be done in a request."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Generator, Iterable
from types import SimpleNamespace
from typing import Any

import orjson
from django.db import connection, transaction

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.postgresql.arrays import array_text
from cloudscribe.lib.postgresql.base import prepared_rows
from documents.authors import author_reference
from documents.blaming import Blame, Trace
from documents.caching import blame
from documents.exceptions import RevisionGone
from documents.models import Document
from documents.payloads import body_of
from documents.selectors.revisions import Snapshot, revision_snapshot

# Of CPU; a thousand revisions of 100 KB take about one.
_SECONDS = 4.0
_ROWS_AT_ONCE = 20

_OLDER_SQL = """
SELECT r.number, r.sha256, p.payload, p.base_number
FROM documents_revision r JOIN documents_revisionpayload p ON p.revision_id = r.id
WHERE r.document_id = %(document)s AND r.number < %(number)s AND r.number >= %(last)s
ORDER BY r.number DESC
"""

_ORIGINS_SQL = """
SELECT r.number, r.created_at, r.author_actor, u.uid, u.name
FROM documents_revision r LEFT JOIN accounts_user u ON u.id = r.author_id
WHERE r.document_id = %(document)s::bigint AND r.number = ANY(%(numbers)s::integer[])
"""


def document_blame(actor: Actor, document: Document, number: int) -> tuple[Snapshot, Blame]:
    """A revision of a document that the actor sees, and who wrote its lines.

    Raises NotFound for a number that never was, RevisionGone where the body is kept no longer.
    """
    shown = revision_snapshot(document.pk, number)

    def trace(known: Blame | None) -> Blame:
        return _traced(document.pk, shown, known)

    return shown, blame(document.uid, number, actor, trace)


def revision_origins(document_pk: int, numbers: Iterable[int]) -> dict[int, dict[str, Any]]:
    """By number, of revisions of a document that the reader was found to see, `author` and `at`."""
    values = {"document": str(document_pk), "numbers": array_text(sorted(numbers))}
    origins = {}
    for number, at, actor, uid, name in prepared_rows(_ORIGINS_SQL, values):
        author = SimpleNamespace(uid=uid, name=name) if uid else None
        other = orjson.loads(actor) if isinstance(actor, str) else actor
        origins[number] = {"author": author_reference(author, other), "at": at}
    return origins


def _traced(document_pk: int, shown: Snapshot, known: Blame | None) -> Blame:
    begun = known if known and known.number == shown.number else None
    start = revision_snapshot(document_pk, begun.oldest) if begun else shown
    trace = Trace(shown.number, start.content.encode(), begun)
    earlier = None if begun else known
    ends = time.thread_time() + _SECONDS
    with contextlib.closing(_older(document_pk, start, earlier.number if earlier else 1)) as older:
        for number, body in older:
            if trace.is_found or time.thread_time() > ends:
                return trace.result()
            trace.step(number, body)
            if earlier is not None and number == earlier.number:
                trace.adopt(earlier)
                return trace.result()
    if earlier is not None and not trace.is_found:
        # Retention took the body that it was about.
        return _traced(document_pk, shown, None)
    trace.is_ended = True
    return trace.result()


def _older(document_pk: int, start: Snapshot, last: int) -> Generator[tuple[int, bytes]]:
    """The older revisions down to `last` whose bodies are kept, one by one, with these."""
    newer, body = start.number, start.content.encode()
    values: dict[str, Any] = {"document": document_pk, "number": start.number, "last": last}
    # In a transaction the rows come as they are asked for: a long history is never in memory.
    with transaction.atomic(), connection.chunked_cursor() as cursor:
        cursor.execute(_OLDER_SQL, values)
        rows = itertools.chain.from_iterable(iter(lambda: cursor.fetchmany(_ROWS_AT_ONCE), []))
        for number, sha256, payload, base_number in rows:
            if base_number not in {None, newer}:
                # Retention took the newer one since it was read.
                raise RevisionGone
            body = body_of(bytes(payload), b"" if base_number is None else body, bytes(sha256))
            newer = number
            yield number, body
