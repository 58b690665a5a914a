"""How a workspace stood at a moment, and what became of it: read from the history of places and revisions."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Sequence
from typing import Any

from django.db import connection

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.cursors import Cursor, Page, cut_page
from documents.models import Document, Snapshot
from documents.visibility import VISIBLE_SQL, visible_parameters, visible_to

# Of every document that stood outside of the trash: where, and which revision was its newest.
_STOOD_SQL = """
WITH RECURSIVE live AS MATERIALIZED (
    SELECT p.document_id, p.parent_id, p.position FROM documents_placement p
    WHERE p.workspace_id = %(workspace)s AND NOT p.trashed
      AND p.valid_from <= %(at)s AND (p.valid_to IS NULL OR p.valid_to > %(at)s)
), tree AS (
    SELECT * FROM live WHERE %(root)s::bigint IS NULL OR document_id = %(root)s
    UNION
    SELECT l.* FROM live l JOIN tree t ON l.parent_id = t.document_id
)
SELECT t.document_id, t.parent_id, t.position,
       coalesce((SELECT r.number FROM documents_revision r
                 WHERE r.document_id = t.document_id AND r.created_at <= %(at)s
                 ORDER BY r.number DESC LIMIT 1), 1)
FROM tree t
"""

# Both moments side by side; a document that stands in neither, or equal in both, is none of it. What the
# reader may not see is counted and no more.
_COMPARE_SQL = f"""
WITH RECURSIVE one_live AS MATERIALIZED (
    SELECT p.document_id, p.parent_id, p.state FROM documents_placement p
    WHERE p.workspace_id = %(workspace)s AND NOT p.trashed
      AND p.valid_from <= %(one)s AND (p.valid_to IS NULL OR p.valid_to > %(one)s)
), two_live AS MATERIALIZED (
    SELECT p.document_id, p.parent_id, p.state FROM documents_placement p
    WHERE p.workspace_id = %(workspace)s AND NOT p.trashed
      AND p.valid_from <= %(two)s AND (p.valid_to IS NULL OR p.valid_to > %(two)s)
), one AS (
    SELECT * FROM one_live WHERE %(root)s::bigint IS NULL OR document_id = %(root)s
    UNION
    SELECT l.* FROM one_live l JOIN one t ON l.parent_id = t.document_id
), two AS (
    SELECT * FROM two_live WHERE %(root)s::bigint IS NULL OR document_id = %(root)s
    UNION
    SELECT l.* FROM two_live l JOIN two t ON l.parent_id = t.document_id
), both_moments AS (
    SELECT coalesce(one.document_id, two.document_id) AS document_id,
           one.document_id IS NOT NULL AS was, two.document_id IS NOT NULL AS still,
           one.parent_id AS one_parent, one.state AS one_state,
           two.parent_id AS two_parent, two.state AS two_state
    FROM one FULL JOIN two USING (document_id)
), revised AS (
    SELECT b.*, r1.number AS one_number, r1.meta AS one_meta, r2.number AS two_number, r2.meta AS two_meta,
           b.was AND b.still AND b.one_parent IS DISTINCT FROM b.two_parent AS moved,
           b.was AND b.still AND (b.one_state <> b.two_state
               OR (r1.sha256, r1.meta) IS DISTINCT FROM (r2.sha256, r2.meta)) AS changed
    FROM both_moments b
    LEFT JOIN LATERAL (
        SELECT r.number, r.sha256, r.meta FROM documents_revision r
        WHERE r.document_id = b.document_id AND r.created_at <= %(one)s ORDER BY r.number DESC LIMIT 1
    ) r1 ON b.was
    LEFT JOIN LATERAL (
        SELECT r.number, r.sha256, r.meta FROM documents_revision r
        WHERE r.document_id = b.document_id AND r.created_at <= %(two)s ORDER BY r.number DESC LIMIT 1
    ) r2 ON b.still
), differing AS MATERIALIZED (
    SELECT r.*, d.id, d.uid, {VISIBLE_SQL} AS seen
    FROM revised r JOIN documents_document d ON d.id = r.document_id
    WHERE NOT (r.was AND r.still) OR r.moved OR r.changed
)
SELECT (SELECT count(*) FROM differing WHERE NOT seen), page.*
FROM (SELECT 1) AS always LEFT JOIN LATERAL (
    SELECT x.id, x.uid, x.was, x.still, x.moved, x.changed,
           x.one_parent, x.one_state, x.one_number, x.one_meta->>'title',
           x.two_parent, x.two_state, x.two_number, x.two_meta->>'title'
    FROM differing x
    WHERE x.seen AND (%(edge)s::bigint IS NULL OR (x.id > %(edge)s) <> %(reverse)s)
      AND x.id IS DISTINCT FROM %(edge)s
      AND CASE %(change)s WHEN 'added' THEN NOT x.was WHEN 'removed' THEN NOT x.still
          WHEN 'moved' THEN x.moved WHEN 'changed' THEN x.changed ELSE true END
    ORDER BY CASE WHEN %(reverse)s THEN -x.id ELSE x.id END LIMIT %(size)s
) AS page ON true
"""  # noqa: S608 (a fragment of our own)

CHANGES = ("added", "removed", "moved", "changed")


@dataclasses.dataclass(frozen=True, slots=True)
class Stood:
    """Where a document stood, by keys, and its newest revision of then."""

    parent: int | None
    position: str
    revision: int


@dataclasses.dataclass(frozen=True, slots=True)
class Comparison:
    """A page of documents that differ, and how many do that the reader may not see."""

    page: Page[dict[str, Any]]
    hidden: int


def stood_at(workspace: int, at: dt.datetime, root: int | None = None) -> dict[int, Stood]:
    """By key what stood in a workspace, or as a part of the subtree `root`, outside of the trash.

    What was purged since is not in the history. It asks for nobody's rights.
    """
    with connection.cursor() as cursor:
        cursor.execute(_STOOD_SQL, {"workspace": workspace, "at": at, "root": root})
        return {pk: Stood(parent, position, number) for pk, parent, position, number in cursor.fetchall()}


def snapshot_compared(
    actor: Actor,
    snapshot: Snapshot,
    against: dt.datetime,
    *,
    change: str | None,
    size: int,
    cursor: Cursor | None,
) -> Comparison:
    """What differs between a snapshot and another moment of the same place, by one change or any.

    In the order of the documents' keys, of which the cursor holds one; parents and titles are those of each
    moment, parents that the actor may not see are none. In two statements.
    """
    parameters = {
        **visible_parameters(actor),
        "workspace": snapshot.workspace_id,
        "root": snapshot.root_id,
        "one": snapshot.at,
        "two": against,
        "change": change or "",
        "edge": cursor.values[0] if cursor else None,
        "reverse": cursor is not None and cursor.reverse,
        "size": size + 1,
    }
    with connection.cursor() as statement:
        statement.execute(_COMPARE_SQL, parameters)
        rows = statement.fetchall()
    page = cut_page([row[1:] for row in rows if row[1] is not None], size, cursor, lambda row: (row[0],))
    parents = _uids(actor, [pk for row in page.rows for pk in (row[6], row[10]) if pk is not None])
    shown = [_compared(row, parents) for row in page.rows]
    return Comparison(Page(shown, page.next, page.previous), rows[0][0])


def _compared(row: Sequence[Any], parents: dict[int, uuid.UUID]) -> dict[str, Any]:
    _, uid, was, still, moved, changed, *sides = row
    flags = dict(zip(CHANGES, (not was, not still, moved, changed), strict=True))
    return {
        "id": uid,
        "changes": [name for name, true in flags.items() if true],
        "before": _side(sides[:4], parents) if was else None,
        "after": _side(sides[4:], parents) if still else None,
    }


def _side(columns: Sequence[Any], parents: dict[int, uuid.UUID]) -> dict[str, Any]:
    parent, state, revision, title = columns
    return {"title": title, "parent": parents.get(parent), "state": state, "revision": revision}


def _uids(actor: Actor, pks: Sequence[int]) -> dict[int, uuid.UUID]:
    rows = visible_to(Document.objects.filter(pk__in=pks), actor)
    return dict(rows.values_list("pk", "uid"))
