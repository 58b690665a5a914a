"""Where documents stand: positions among siblings, derived columns of a subtree, the history of places."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from psycopg.types.json import Jsonb

from cloudscribe.lib.actor import Actor
from documents import limits
from documents.authors import author_columns
from documents.exceptions import DocumentTooDeep
from documents.models import Document, Workspace
from documents.visibility import visible_to

# What a root derives from its parent (or none), each node below it derives from the one above: down the
# subtree by levels, since a cut deep inside shortens what stands below it. One statement, as the constraints
# hold at its end.
_REWRITE_SQL = """
WITH RECURSIVE tree AS (
    SELECT d.id, coalesce(p.path, '') || lpad(to_hex(d.id), 10, '0') AS path,
           coalesce(p.depth, 0) + 1 AS depth,
           CASE WHEN %(cut)s THEN ARRAY[d.id]
                ELSE d.id || coalesce(p.reach, ARRAY[-%(workspace)s::bigint]) END AS reach,
           CASE WHEN %(cut)s THEN d.id ELSE coalesce(p.scope_id, -%(workspace)s::bigint) END AS scope_id
    FROM documents_document d LEFT JOIN documents_document p ON p.id = %(parent)s::bigint
    WHERE d.id = %(root)s
    UNION ALL
    SELECT d.id, t.path || lpad(to_hex(d.id), 10, '0'), t.depth + 1,
           CASE WHEN NOT d.inherits_access OR d.state = 'draft' THEN ARRAY[d.id] ELSE d.id || t.reach END,
           CASE WHEN NOT d.inherits_access OR d.state = 'draft' THEN d.id ELSE t.scope_id END
    FROM documents_document d JOIN tree t ON d.parent_id = t.id
), below AS (
    UPDATE documents_document d
    SET path = t.path, depth = t.depth, reach = t.reach, scope_id = t.scope_id, workspace_id = %(workspace)s
    FROM tree t
    WHERE d.id = t.id AND d.id <> %(root)s AND (d.path, d.reach, d.scope_id, d.workspace_id)
          IS DISTINCT FROM (t.path, t.reach, t.scope_id, %(workspace)s::bigint)
    RETURNING d.id
)
UPDATE documents_document d
SET path = t.path, depth = t.depth, reach = t.reach, scope_id = t.scope_id, workspace_id = %(workspace)s,
    parent_id = %(parent)s, position = %(position)s, inherits_access = %(inherits_access)s, state = %(state)s,
    updated_at = %(now)s, updated_by_id = %(by)s, updated_actor = %(by_actor)s
FROM tree t
WHERE d.id = t.id AND d.id = %(root)s
RETURNING d.path, d.depth, d.reach, d.scope_id
"""

_CLOSE_PLACES_SQL = """
UPDATE documents_placement SET valid_to = %(now)s WHERE document_id = ANY(%(documents)s) AND valid_to IS NULL
"""
_OPEN_PLACES_SQL = """
INSERT INTO documents_placement (document_id, workspace_id, parent_id, position, state, trashed, valid_from)
SELECT id, workspace_id, parent_id, position, state, trashed_at IS NOT NULL, %(now)s
FROM documents_document WHERE id = ANY(%(documents)s)
"""


def document_place(actor: Actor, document: Document) -> None:
    """Save where and how a document stands, with all that derives from it.

    That is `parent`, `workspace`, `position`, `inherits_access` and `state`, together
    with the derived columns of itself and all below it, of which only what differs is written.
    """
    by, by_actor = author_columns(actor)
    parameters: dict[str, Any] = {
        "root": document.pk,
        "cut": document.is_cut,
        "workspace": document.workspace_id,
        "parent": document.parent_id,
        "position": document.position,
        "inherits_access": document.inherits_access,
        "state": document.state,
        "now": actor.now,
        "by": by,
        "by_actor": None if by_actor is None else Jsonb(by_actor),
    }
    with connection.cursor() as cursor:
        cursor.execute(_REWRITE_SQL, parameters)
        document.path, document.depth, document.reach, document.scope_id = cursor.fetchone()
    document.updated_at, document.updated_by_id, document.updated_actor = actor.now, by, by_actor


def subtree(root: Document) -> QuerySet[Document]:
    """The node and everything below it, by its path."""
    return Document.objects.filter(path__gte=root.path, path__lt=root.path + "g")


def hidden_among(actor: Actor, rows: QuerySet[Document], count: int) -> int:
    """How many of these `count` documents the actor, who sees their root, doesn't see."""
    return count - visible_to(rows, actor).count() if count > 1 else 0


def placements_write(documents: Sequence[int], now: dt.datetime) -> None:
    """Close the current places of documents and open those in which they stand now."""
    parameters: dict[str, Any] = {"documents": list(documents), "now": now}
    with connection.cursor() as cursor:
        cursor.execute(_CLOSE_PLACES_SQL, parameters)
        cursor.execute(_OPEN_PLACES_SQL, parameters)


def siblings(workspace: int, parent: int | None) -> QuerySet[Document]:
    """What stands at a place, in order, the trash included: restored, a node returns to its neighbours."""
    rows = Document.objects.filter(workspace_id=workspace, parent_id=parent)
    return rows.order_by("position", "id")


def depth_check(root: Document, parent_depth: int) -> None:
    """Raise DocumentTooDeep where the subtree wouldn't fit below a parent of that depth."""
    deepest = subtree(root).order_by("-depth").values_list("depth", flat=True).first() or root.depth
    if parent_depth + 1 + deepest - root.depth > limits.DEPTH:
        raise DocumentTooDeep


def reach_facts(before: Iterable[int], after: Iterable[int]) -> dict[str, list[str]]:
    """For an event: the documents and workspaces whose grants reach it no longer, and those that now do."""
    return places_facts({0: (before, after)}).get(0, {})


def places_facts(
    reaches: Mapping[int, tuple[Iterable[int], Iterable[int]]],
    lines: Mapping[int, tuple[Iterable[int], Iterable[int]]] | None = None,
) -> dict[int, dict[str, list[str]]]:
    """As `reach_facts` for many at once, by any key; without those of which nothing differs.

    With `lines` also the other documents below which each stands no longer: nobody's rights came from there,
    but a token may be cut to one of them.
    """
    changed: dict[int, dict[str, list[int]]] = {}
    for key, (before, after) in reaches.items():
        lost, gained = set(before) - set(after), set(after) - set(before)
        stood, stands = (lines or {}).get(key, ((), ()))
        left = set(stood) - set(stands) - lost
        facts = {"reach_lost": sorted(lost), "reach_gained": sorted(gained)} if lost or gained else {}
        if left:
            facts["line_left"] = sorted(left)
        if facts:
            changed[key] = facts
    uids = reach_uids(pk for facts in changed.values() for found in facts.values() for pk in found)
    return {
        key: {name: [str(uids[pk]) for pk in found if pk in uids] for name, found in facts.items()}
        for key, facts in changed.items()
    }


def reach_uids(keys: Iterable[int]) -> dict[int, uuid.UUID]:
    """The public ids of what stands in a `reach`: documents, and workspaces under their negated keys."""
    wanted = set(keys)
    if not wanted:
        return {}
    documents = Document.objects.filter(pk__in=[key for key in wanted if key > 0]).values_list("pk", "uid")
    rooms = Workspace.objects.filter(pk__in=[-key for key in wanted if key < 0]).values_list("pk", "uid")
    return {**dict(documents), **{-pk: uid for pk, uid in rooms}}
