"""What is read out of bodies: the vectors and references that writes left for later, and the words of all."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import DatabaseError, connection, transaction

from accounts.actors import stranger
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor, ActorKind
from cloudscribe.lib.transactions import sqlstate, transactional
from documents.models import Document, DocumentBody, Reference
from documents.queues import SEARCH_INDEX
from documents.references import references_of
from documents.search.vectors import search_columns

_BATCH = 20
# program_limit_exceeded: a vector beyond 1 MB, which no limit in bytes of text can rule out.
_TOO_LARGE = "54000"
# Up to so many documents are counted, which takes about a second for 10,000; of more a sample is.
_SAMPLE = 50_000

# Only what changed is written: most counts of most words stay.
_COUNT_SQL = """
WITH counted AS MATERIALIZED (
  SELECT word, round(ndoc * %(scale)s)::bigint AS documents
  FROM ts_stat(%(vectors)s) WHERE length(word) <= 64
), gone AS (
  DELETE FROM documents_lexeme l WHERE l.config = %(config)s
    AND NOT EXISTS (SELECT FROM counted c WHERE c.word = l.word)
), written AS (
  INSERT INTO documents_lexeme AS l (config, word, documents) SELECT %(config)s, word, documents FROM counted
  ON CONFLICT (config, word) DO UPDATE SET documents = excluded.documents
  WHERE l.documents <> excluded.documents
)
SELECT count(*) FROM counted
"""
# ts_stat takes its query as text; configuration and share are bound into it by format().
_VECTORS_SQL = """
SELECT format('SELECT search_vector FROM documents_documentbody %%s WHERE search_config = %%L',
  CASE WHEN %(share)s >= 100 THEN '' ELSE format('TABLESAMPLE SYSTEM (%%s) REPEATABLE (7)', %(share)s) END,
  %(config)s)
"""
_STATISTICS_SQL = """
INSERT INTO documents_searchstatistic AS s (config, documents, average_length, refreshed_at)
SELECT search_config, count(*), greatest(avg(search_length), 1), statement_timestamp()
FROM documents_documentbody
WHERE search_vector IS NOT NULL GROUP BY search_config
ON CONFLICT (config) DO UPDATE SET documents = excluded.documents, average_length = excluded.average_length,
  refreshed_at = excluded.refreshed_at
RETURNING config, documents
"""
_STALE_SQL = """
SELECT coalesce((SELECT max(updated_at) FROM documents_document WHERE trashed_at IS NULL), '-infinity')
  >= coalesce((SELECT min(refreshed_at) FROM documents_searchstatistic), '-infinity')
"""


def search_index_enqueue(*, actor: Actor) -> None:
    """Ask for the vectors that are missing, in the caller's transaction; one waiting job stands for all."""
    if actor.kind is ActorKind.LINK:
        # Nobody whom the job could be run as: it is the installation's own work.
        actor = stranger("search index", actor.now)
    job_enqueue(actor=actor, kind=SEARCH_INDEX, payload={}, dedupe_key=SEARCH_INDEX, queue="slow")


@transactional
def bodies_index(*, actor: Actor, after: int, pending: bool) -> tuple[int, int]:
    """Make vectors and references of the next few bodies behind the document `after`.

    Of all, or only of those without a vector.

    Gives their number and the last document's key. A body that is being written is left to its writer.
    """
    bodies = DocumentBody.objects.filter(pk__gt=after).select_related("document").order_by("pk")
    if pending:
        bodies = bodies.filter(search_vector__isnull=True)
    batch = list(bodies.select_for_update(of=("self",), skip_locked=True, no_key=True)[:_BATCH])
    for body in batch:
        _index(body)
    return len(batch), batch[-1].pk if batch else after


def _index(body: DocumentBody) -> None:
    document = body.document
    _references_write(document, references_of(body.content, own=document.uid, public_url=settings.PUBLIC_URL))
    for share in (1, 4, 0):
        content = body.content[: len(body.content) // share] if share else ""
        columns: dict[str, Any] = search_columns(
            title=document.title, content=content, language=document.language
        )
        try:
            with transaction.atomic():
                DocumentBody.objects.filter(pk=body.pk).update(**columns)
        except DatabaseError as error:
            if sqlstate(error) != _TOO_LARGE:
                raise
        else:
            return


def _references_write(document: Document, targets: Sequence[uuid.UUID]) -> None:
    """Make these the documents that this one's body links to; its body is locked by the caller."""
    document.references.exclude(target_uid__in=targets).delete()
    Reference.objects.bulk_create(
        [Reference(source=document, target_uid=target) for target in targets], ignore_conflicts=True
    )


@transactional
def lexemes_refresh(*, actor: Actor, force: bool = False) -> int:
    """Count in how many documents each word stands; gives the number of words, 0 where nothing changed."""
    with connection.cursor() as cursor:
        cursor.execute(_STALE_SQL)
        if not (force or cursor.fetchone()[0]):
            return 0
        # One at a time: a second count would wait for the first one's rows and write them again.
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('documents.search_statistics'))")
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_STATISTICS_SQL)
        words = 0
        for config, documents in cursor.fetchall():
            share = min(100.0, 100.0 * _SAMPLE / max(documents, 1))
            cursor.execute(_VECTORS_SQL, {"share": share, "config": config})
            (vectors,) = cursor.fetchone()
            cursor.execute(_COUNT_SQL, {"config": config, "vectors": vectors, "scale": 100.0 / share})
            words += cursor.fetchone()[0]
    return words
