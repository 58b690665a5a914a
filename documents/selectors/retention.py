"""What retention may take: the bodies that stood at no moment which a workspace's policy still covers.

They ask for nobody's rights: it is the workspace's own rule that acts.
"""

from __future__ import annotations

import datetime as dt

from django.db import connection

from documents.expiring import Stored

# A body stood until the next revision came. Named ones are kept.
_PAST = """
s.created_at <= %(now)s - make_interval(days => w.revision_retention_days)
AND NOT EXISTS (SELECT FROM documents_revisionname n WHERE n.revision_id = r.id)
"""
_DUE_SQL = f"""
SELECT d.id FROM documents_document d JOIN documents_workspace w ON w.id = d.workspace_id
WHERE w.revision_retention_days IS NOT NULL AND w.busy_job IS NULL AND d.id > %(after)s AND EXISTS (
    SELECT FROM documents_revision r
    JOIN documents_revision s ON s.document_id = r.document_id AND s.number = r.number + 1
    JOIN documents_revisionpayload p ON p.revision_id = r.id
    WHERE r.document_id = d.id AND {_PAST})
ORDER BY d.id LIMIT %(most)s
"""  # noqa: S608 (a fragment of our own)
# Of a snapshot in which the document stood, the revision of that moment is kept: up from its place of then to
# the root of the snapshot, where that isn't the workspace.
_STORED_SQL = f"""
WITH snapped AS MATERIALIZED (
    SELECT DISTINCT (SELECT r.number FROM documents_revision r
                     WHERE r.document_id = %(document)s AND r.created_at <= t.at
                     ORDER BY r.number DESC LIMIT 1) AS number
    FROM documents_placement h JOIN documents_snapshot t ON t.workspace_id = h.workspace_id
    WHERE h.document_id = %(document)s AND NOT h.trashed
      AND h.valid_from <= t.at AND (h.valid_to IS NULL OR h.valid_to > t.at)
      AND (t.root_id IS NULL OR t.root_id IN (
        WITH RECURSIVE up AS (
            SELECT h.document_id, h.parent_id
            UNION ALL
            SELECT a.document_id, a.parent_id
            FROM up u JOIN documents_placement a ON a.document_id = u.parent_id
            WHERE a.valid_from <= t.at AND (a.valid_to IS NULL OR a.valid_to > t.at)
        ) SELECT document_id FROM up))
)
SELECT r.number, p.base_number, coalesce(NOT ({_PAST}) OR k.number IS NOT NULL, true)
FROM documents_document d
JOIN documents_workspace w ON w.id = d.workspace_id
JOIN documents_revision r ON r.document_id = d.id
JOIN documents_revisionpayload p ON p.revision_id = r.id
LEFT JOIN documents_revision s ON s.document_id = d.id AND s.number = r.number + 1
LEFT JOIN snapped k ON k.number = r.number
WHERE d.id = %(document)s ORDER BY r.number
"""  # noqa: S608 (as above)


def documents_expiring(now: dt.datetime, after: int, most: int) -> list[int]:
    """By key, above `after`, some of the documents that have bodies past their workspace's retention.

    Snapshots and holds are not looked at yet.
    """
    with connection.cursor() as cursor:
        cursor.execute(_DUE_SQL, {"now": now, "after": after, "most": most})
        return [pk for (pk,) in cursor.fetchall()]


def payloads_stored(document_pk: int, now: dt.datetime) -> list[Stored]:
    """The payloads of a document, oldest first, and which of them its workspace's policy keeps."""
    with connection.cursor() as cursor:
        cursor.execute(_STORED_SQL, {"document": document_pk, "now": now})
        return [Stored(*row) for row in cursor.fetchall()]
