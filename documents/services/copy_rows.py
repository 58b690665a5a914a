"""The rows of copied documents: a fixed number of statements for a batch, however many are in it."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from django.conf import settings
from django.db import connection

from accounts.actors import person_pk
from cloudscribe.lib.actor import Actor
from documents.authors import author_columns
from documents.models import Document, DocumentBody, DocumentUserPermission, Origin, State
from documents.relinking import LINK_HINT, relinked
from documents.roles import Role
from documents.search.vectors import MAX_BYTES_IN_REQUEST, search_columns
from documents.services.attachments import attachments_copy
from documents.services.granting import permission_of
from documents.services.indexing import search_index_enqueue
from documents.services.tree_jobs import Check, unchecked

_NOTE = "Copied"
_BATCH_DOCUMENTS = 500
_BATCH_BYTES = 4_000_000

_IDS_SQL = (
    """SELECT nextval(pg_get_serial_sequence('documents_document', 'id')) FROM generate_series(1, %s)"""
)
# Parents first: the trigger that places a row reads its parent's.
_DOCUMENTS_SQL = """
INSERT INTO documents_document (
    id, uid, workspace_id, parent_id, position, inherits_access, state, template, title, language, icon, tags,
    revision, owner_id, created_by_id, created_actor, created_at, updated_by_id, updated_actor, updated_at,
    lock_reason)
SELECT c.id, c.uid, %(workspace)s, c.parent, c.position, true, c.state, d.template, c.title, d.language,
       d.icon, d.tags, 1, %(owner)s, %(by)s, %(by_actor)s::jsonb, %(now)s, %(by)s, %(by_actor)s::jsonb,
       %(now)s, ''
FROM unnest(%(ids)s::bigint[], %(uids)s::uuid[], %(sources)s::bigint[], %(parents)s::bigint[],
            %(positions)s::text[], %(states)s::text[], %(titles)s::text[])
     WITH ORDINALITY AS c (id, uid, source, parent, position, state, title, number)
JOIN documents_document d ON d.id = c.source
ORDER BY c.number
"""
_LINKING_SQL = """
SELECT document_id, content FROM documents_documentbody
WHERE document_id = ANY(%(sources)s) AND content ~ %(hint)s
"""
# The vector is that of the source: what a link leads to is no word of a text.
_BODIES_SQL = """
WITH copied AS MATERIALIZED (
    SELECT c.id, coalesce(c.content, b.content) AS content, coalesce(c.sha256, b.sha256) AS sha256,
           coalesce(octet_length(c.content), b.size) AS size,
           b.search_vector, b.search_config, b.search_length
    FROM unnest(%(ids)s::bigint[], %(sources)s::bigint[], %(contents)s::text[], %(digests)s::bytea[])
         AS c (id, source, content, sha256)
    JOIN documents_documentbody b ON b.document_id = c.source
), body AS (
    INSERT INTO documents_documentbody (
        document_id, content, sha256, size, search_vector, search_config, search_length)
    SELECT id, content, sha256, size, search_vector, search_config, search_length FROM copied
), revision AS (
    INSERT INTO documents_revision (
        document_id, number, author_id, author_actor, note, meta, sha256, size, created_at)
    SELECT c.id, 1, %(by)s, %(by_actor)s::jsonb, %(note)s, jsonb_build_object(
               'title', d.title, 'language', d.language, 'tags', to_jsonb(d.tags), 'icon', d.icon,
               'template', d.template), c.sha256, c.size, %(now)s
    FROM copied c JOIN documents_document d ON d.id = c.id
), placement AS (
    INSERT INTO documents_placement (
        document_id, workspace_id, parent_id, position, state, trashed, valid_from)
    SELECT d.id, d.workspace_id, d.parent_id, d.position, d.state, false, %(now)s
    FROM copied c JOIN documents_document d ON d.id = c.id
)
SELECT count(*) FILTER (WHERE search_vector IS NULL) FROM copied
"""
_REFERENCES_SQL = """
INSERT INTO documents_reference (source_id, target_uid)
SELECT c.id, coalesce(t.uid, r.target_uid)
FROM unnest(%(ids)s::bigint[], %(sources)s::bigint[]) AS c (id, source)
JOIN documents_reference r ON r.source_id = c.source
LEFT JOIN unnest(%(uids)s::uuid[], %(source_uids)s::uuid[]) AS t (uid, source) ON t.source = r.target_uid
"""


@dataclasses.dataclass(frozen=True, slots=True)
class Copy:
    """A document to be: of which one (its body's row at hand but for the text), below what, and where."""

    id: int
    uid: uuid.UUID
    source: Document
    parent: int | None
    position: str
    state: str
    title: str


def ids_draw(count: int) -> list[int]:
    """Keys for so many documents."""
    with connection.cursor() as cursor:
        cursor.execute(_IDS_SQL, [count])
        return [row[0] for row in cursor.fetchall()]


def copies_insert(actor: Actor, workspace: int, copies: Sequence[Copy], check: Check = unchecked) -> None:
    """Write documents, files, bodies, first revisions, places and references, and the grants of drafts.

    Parents stand before children, and the first is the one whose title may be another than its source's. For
    services that hold the workspace and the sources and checked the rights. Raises AttachmentQuotaExceeded,
    and what `check` raises, called after each of many statements.
    """
    by, by_actor = author_columns(actor)
    owner = person_pk(actor)
    authors: dict[str, Any] = {
        "owner": owner,
        "by": by,
        "by_actor": None if by_actor is None else orjson.dumps(by_actor).decode(),
        "now": actor.now,
        "note": _NOTE,
    }
    columns = _columns(copies)
    uids = dict(zip(columns["source_uids"], columns["uids"], strict=True))
    with connection.cursor() as cursor:
        for start in range(0, len(copies), _BATCH_DOCUMENTS):
            part = {name: values[start : start + _BATCH_DOCUMENTS] for name, values in columns.items()}
            cursor.execute(_DOCUMENTS_SQL, {**authors, **part, "workspace": workspace})
            check()
        files = attachments_copy(
            actor=actor, workspace=workspace, copies={copy.source.pk: copy.id for copy in copies}
        )
        pending = 0
        for batch in _batches(copies):
            cursor.execute(_BODIES_SQL, {**authors, **_bodies(batch, uids, files)})
            pending += cursor.fetchone()[0]
            check()
        cursor.execute(_REFERENCES_SQL, columns)
    _grants_of_drafts(owner, copies)
    if _title_indexed(copies[0]) or pending:
        search_index_enqueue(actor=actor)


def _columns(copies: Sequence[Copy]) -> dict[str, list[Any]]:
    return {
        "ids": [copy.id for copy in copies],
        "uids": [copy.uid for copy in copies],
        "sources": [copy.source.pk for copy in copies],
        "source_uids": [copy.source.uid for copy in copies],
        "parents": [copy.parent for copy in copies],
        "positions": [copy.position for copy in copies],
        "states": [copy.state for copy in copies],
        "titles": [copy.title for copy in copies],
    }


def _batches(copies: Sequence[Copy]) -> Iterator[list[Copy]]:
    batch: list[Copy] = []
    size = 0
    for copy in copies:
        if batch and (len(batch) >= _BATCH_DOCUMENTS or size >= _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(copy)
        size += copy.source.body.size
    yield batch


def _bodies(
    batch: Sequence[Copy], uids: Mapping[uuid.UUID, uuid.UUID], files: Mapping[uuid.UUID, uuid.UUID]
) -> dict[str, Any]:
    """The parameters of the bodies: only a text whose links change comes through here."""
    sources = [copy.source.pk for copy in batch]
    changed: dict[int, str] = {}
    with connection.cursor() as cursor:
        cursor.execute(_LINKING_SQL, {"sources": sources, "hint": LINK_HINT})
        for source, content in cursor:
            text = relinked(content, documents=uids, files=files, public_url=settings.PUBLIC_URL)
            if text != content:
                changed[source] = text
    contents = [changed.get(source) for source in sources]
    return {
        "ids": [copy.id for copy in batch],
        "sources": sources,
        "contents": contents,
        "digests": [text and hashlib.sha256(text.encode()).digest() for text in contents],
    }


def _grants_of_drafts(owner: int, copies: Sequence[Copy]) -> None:
    drafts = [copy.id for copy in copies if copy.state == State.DRAFT]
    if not drafts:
        return
    manager = permission_of(copies[0].source, Role.MANAGER)
    DocumentUserPermission.objects.bulk_create(
        DocumentUserPermission(
            user_id=owner,
            content_object_id=draft,
            permission=manager,
            origin=Origin.DRAFT,
            granted_by_id=owner,
        )
        for draft in drafts
    )


def _title_indexed(copy: Copy) -> bool:
    """Make the vector anew where the title is another; True where that is left to the job."""
    if copy.title == copy.source.title:
        return False
    body = DocumentBody.objects.get(pk=copy.id)
    large = body.size > MAX_BYTES_IN_REQUEST
    columns: dict[str, Any] = (
        {"search_vector": None}
        if large
        else search_columns(title=copy.title, content=body.content, language=copy.source.language)
    )
    DocumentBody.objects.filter(pk=copy.id).update(**columns)
    return large
