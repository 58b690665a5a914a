"""The rows of a new document and of a next revision, each in one prebuilt statement.

By the ORM they took four statements, planned anew at every write: a third of the time that it takes. What the
answer is made of comes back with them.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import orjson
from django.conf import settings
from django.db import connection

from cloudscribe.lib.postgresql.base import prepared_rows
from documents.models import Document, DocumentBody
from documents.payloads import Payload
from documents.references import references_of
from documents.search.vectors import VECTOR_SQL, search_parameters
from documents.selectors.reading import COLUMNS, JOINS

# The trigger makes path, depth, reach and scope; references are looked at when the statement ends.
_CREATE_SQL = f"""
WITH document AS (
    INSERT INTO documents_document (
        uid, workspace_id, parent_id, position, inherits_access, state, template, title, language, icon, tags,
        revision, owner_id, created_by_id, created_actor, created_at, updated_by_id, updated_actor,
        updated_at, lock_reason)
    VALUES (
        %(uid)s, %(workspace)s::bigint, %(parent)s::bigint, %(position)s::text, true, %(state)s::text,
        %(template)s, %(title)s::text, %(language)s::text, %(icon)s::text, %(tags)s::text[], 1,
        %(owner)s::bigint, %(by)s::bigint, %(by_actor)s::jsonb, %(now)s, %(by)s::bigint, %(by_actor)s::jsonb,
        %(now)s, '')
    RETURNING *
), body AS (
    INSERT INTO documents_documentbody (
        document_id, content, sha256, size, search_vector, search_config, search_length)
    SELECT id, %(content)s::text, %(sha256)s, %(size)s::integer, {VECTOR_SQL}, %(search_config)s::text,
           %(search_length)s::integer
    FROM document
), revision AS (
    INSERT INTO documents_revision (
        document_id, number, author_id, author_actor, note, meta, sha256, size, created_at)
    SELECT id, 1, %(by)s::bigint, %(by_actor)s::jsonb, %(note)s::text, %(meta)s::jsonb, %(sha256)s,
           %(size)s::integer, %(now)s
    FROM document
), placement AS (
    INSERT INTO documents_placement (
        document_id, workspace_id, parent_id, position, state, trashed, valid_from)
    SELECT id, %(workspace)s::bigint, %(parent)s::bigint, %(position)s::text, %(state)s::text, false, %(now)s
    FROM document
), reference AS (
    INSERT INTO documents_reference (source_id, target_uid)
    SELECT document.id, t.uid FROM document, unnest(%(references)s::uuid[]) AS t(uid)
)
SELECT {COLUMNS}, d.depth, d.scope_id FROM document d {JOINS}
"""  # noqa: S608 (a fragment of our own)

# The key of the superseded revision needs no reading: its row is there, this statement's own is not yet.
_REVISE_SQL = f"""
WITH document AS (
    UPDATE documents_document
    SET title = %(title)s::text, language = %(language)s::text, icon = %(icon)s::text,
        tags = %(tags)s::text[], template = %(template)s, revision = %(number)s::integer,
        updated_by_id = %(by)s::bigint, updated_actor = %(by_actor)s::jsonb, updated_at = %(now)s
    WHERE id = %(document)s::bigint
    RETURNING *
), body AS (
    UPDATE documents_documentbody
    SET content = %(content)s::text, sha256 = %(sha256)s, size = %(size)s::integer,
        search_vector = {VECTOR_SQL}, search_config = %(search_config)s::text,
        search_length = %(search_length)s::integer
    WHERE document_id = %(document)s::bigint
), payload AS (
    INSERT INTO documents_revisionpayload (revision_id, base_number, payload)
    SELECT id, %(payload_base)s::integer, %(payload)s FROM documents_revision
    WHERE document_id = %(document)s::bigint AND number = %(number)s::integer - 1
), revision AS (
    INSERT INTO documents_revision (
        document_id, number, author_id, author_actor, note, parent, base, meta, sha256, size, created_at)
    VALUES (
        %(document)s::bigint, %(number)s::integer, %(by)s::bigint, %(by_actor)s::jsonb, %(note)s::text,
        %(number)s::integer - 1, %(base)s::integer, %(meta)s::jsonb, %(sha256)s, %(size)s::integer, %(now)s)
), unreferred AS (
    DELETE FROM documents_reference
    WHERE source_id = %(document)s::bigint AND target_uid <> ALL(%(references)s::uuid[])
), reference AS (
    INSERT INTO documents_reference (source_id, target_uid)
    SELECT %(document)s::bigint, t.uid FROM unnest(%(references)s::uuid[]) AS t(uid)
    ON CONFLICT (source_id, target_uid) DO NOTHING
)
SELECT {COLUMNS} FROM document d {JOINS}
"""  # noqa: S608 (as above)


class Written(NamedTuple):
    """What a write gives back: the row that answers are made of, as `document_shown` wants it.

    `indexed` says whether the body is in the index; where not, it is too large for a request.
    """

    row: tuple[Any, ...]
    indexed: bool


def document_rows_insert(document: Document, body: DocumentBody, *, note: str) -> Written:
    """Insert a document that isn't saved yet, its body, revision 1 and its place; gives it its key."""
    parameters = {
        **_shared(document, body),
        "note": note,
        "uid": document.uid,
        "workspace": _text(document.workspace_id),
        "parent": _text(document.parent_id),
        "position": document.position,
        "state": str(document.state),
        "owner": _text(document.owner_id),
    }
    (row,) = prepared_rows(_CREATE_SQL, parameters)
    document.pk, _, document.path, document.reach, *_, document.depth, document.scope_id = row
    # As `save` leaves a row.
    document._state.adding, document._state.db = False, connection.alias  # noqa: SLF001
    return Written((*row, body.content), indexed=parameters["search_body"] is not None)


def document_rows_revise(
    document: Document, body: DocumentBody, payload: Payload, *, base: int, note: str
) -> Written:
    """Write a document and its body as the next revision, and the payload of the revision before."""
    parameters = {
        **_shared(document, body),
        "note": note,
        "document": _text(document.pk),
        "number": _text(document.revision),
        "base": _text(base),
        "payload_base": _text(payload.base_number),
        "payload": payload.data,
    }
    (row,) = prepared_rows(_REVISE_SQL, parameters)
    return Written((*row, body.content), indexed=parameters["search_body"] is not None)


def _shared(document: Document, body: DocumentBody) -> dict[str, Any]:
    """What both statements write. A prepared text is one for each mix of types: numbers go as texts.

    The references of a body that is too large to be indexed at once are left to the job, too.
    """
    by_actor = document.updated_actor
    search = search_parameters(title=document.title, content=body.content, language=document.language)
    return {
        "title": document.title,
        "language": document.language,
        "icon": document.icon,
        "tags": list(document.tags),
        "template": document.template,
        "by": _text(document.updated_by_id),
        "by_actor": None if by_actor is None else orjson.dumps(by_actor).decode(),
        "now": document.updated_at,
        "meta": orjson.dumps(document.fields_of_revision()).decode(),
        "content": body.content,
        "sha256": bytes(body.sha256),
        "size": _text(body.size),
        **search,
        "references": _references(document, body, later=search["search_body"] is None),
    }


def _references(document: Document, body: DocumentBody, *, later: bool) -> str | None:
    if later:
        return None
    found = references_of(body.content, own=document.uid, public_url=settings.PUBLIC_URL)
    return f"{{{','.join(map(str, found))}}}"


def _text(number: int | None) -> str | None:
    return None if number is None else str(number)
