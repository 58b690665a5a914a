"""Reading what a document said before: bodies are rebuilt from the chain of payloads."""

from __future__ import annotations

import dataclasses
from typing import Any

import orjson
from django.db import connection

from cloudscribe.lib.errors import NotFound
from documents.exceptions import RevisionGone
from documents.merge.fields import BODY
from documents.payloads import Payload, nearest_keyframe, rebuild

# The wanted revision and what its body is rebuilt from: the payloads up to a keyframe or to the head's body.
_CHAIN_SQL = """
SELECT r.number, r.meta, r.sha256, p.payload, p.base_number,
       CASE WHEN r.number = d.revision THEN b.content END
FROM documents_document d
JOIN documents_revision r ON r.document_id = d.id
JOIN documents_documentbody b ON b.document_id = d.id
LEFT JOIN documents_revisionpayload p ON p.revision_id = r.id
WHERE d.id = %(document)s AND r.number BETWEEN %(number)s AND %(last)s
ORDER BY r.number DESC
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
        last = nearest_keyframe(number)
        cursor.execute(_CHAIN_SQL, {"document": document_pk, "number": number, "last": last})
        rows = cursor.fetchall()
    if not rows or rows[-1][0] != number:
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
