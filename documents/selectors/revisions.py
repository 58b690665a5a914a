"""Reading what a document said before: bodies are rebuilt from the chain of payloads."""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson
from django.db import connection

from cloudscribe.lib.errors import NotFound
from documents.exceptions import RevisionGone
from documents.merge.fields import BODY
from documents.payloads import Payload, rebuild

# The wanted revision and what its body is rebuilt from: from base to base, up to one that stands alone or to
# the head, whose body is the document's. Each is looked up by itself: joined, the planner may read them all.
CHAIN_SQL = """
WITH RECURSIVE chain AS (
    SELECT r.number, r.meta, r.sha256, p.payload, p.base_number
    FROM documents_revision r LEFT JOIN documents_revisionpayload p ON p.revision_id = r.id
    WHERE r.document_id = %(document)s AND r.number = %(number)s
    UNION ALL
    SELECT r.number, NULL, NULL, p.payload, p.base_number
    FROM chain c
    CROSS JOIN LATERAL (
        SELECT id, number FROM documents_revision
        WHERE document_id = %(document)s AND number = c.base_number LIMIT 1) r
    LEFT JOIN LATERAL (
        SELECT payload, base_number FROM documents_revisionpayload WHERE revision_id = r.id LIMIT 1) p ON true
)
SELECT c.number, c.meta, c.sha256, c.payload, c.base_number,
       CASE WHEN c.number = d.revision THEN b.content END
FROM chain c
JOIN documents_document d ON d.id = %(document)s
JOIN documents_documentbody b ON b.document_id = d.id
ORDER BY c.number DESC
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Snapshot:
    """A document as one of its revisions has it."""

    number: int
    meta: dict[str, Any]
    content: str

    def fields(self) -> dict[str, Any]:
        """Every field that a revision holds, the body among them."""
        return {**self.meta, BODY: self.content}


def revision_snapshot(document_pk: int, number: int) -> Snapshot:
    """The document as of revision `number`, in one query.

    The caller has checked that the reader may see it. Raises NotFound for a number that never was,
    RevisionGone where retention took the body.
    """
    with connection.cursor() as cursor:
        cursor.execute(CHAIN_SQL, {"document": document_pk, "number": number})
        rows = cursor.fetchall()
    if not rows:
        raise NotFound
    head, chain = "", []
    for found, _, _, payload, base_number, content in rows:
        if content is not None:
            head = content
        elif payload is None:
            raise RevisionGone
        else:
            chain.append(Payload(found, base_number, bytes(payload)))
    _, meta, sha256, *_ = rows[-1]
    return Snapshot(number, orjson.loads(meta), rebuild(chain, head, bytes(sha256)))
