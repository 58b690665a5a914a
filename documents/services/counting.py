"""Counts that only choose between plans."""

from __future__ import annotations

from django.db import connection

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional

# Only what differs is written; most scopes stay as they are.
_COUNT_SQL = """
WITH counted AS MATERIALIZED (
    SELECT scope_id, count(*) AS n FROM documents_document WHERE trashed_at IS NULL GROUP BY scope_id
), gone AS (
    DELETE FROM documents_scopecount s WHERE NOT EXISTS (SELECT FROM counted c WHERE c.scope_id = s.scope_id)
), written AS (
    INSERT INTO documents_scopecount AS s (scope_id, n) SELECT scope_id, n FROM counted
    ON CONFLICT (scope_id) DO UPDATE SET n = excluded.n WHERE s.n <> excluded.n
)
SELECT count(*) FROM counted
"""


@transactional
def scope_counts_refresh(*, actor: Actor) -> int:
    """Count the documents of each scope anew; gives the number of scopes, 0 where another run is at it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtext('documents.scope_counts'))")
        if not cursor.fetchone()[0]:
            return 0
        cursor.execute(_COUNT_SQL)
        scopes: int = cursor.fetchone()[0]
        return scopes
