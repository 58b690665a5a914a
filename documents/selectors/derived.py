"""What documents derive from their place, worked out from scratch and held against what their rows say.

Only parents, cuts and states are believed. Neither the trigger nor the services that write these columns have
a part in it.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection, Sequence

from django.db import connection

# The values of a workspace's trees from the tops down, as rows of (id, path, depth, reach, scope_id). The one
# snapshot of the statement is consistent, whatever moves meanwhile.
TREE_SQL = """WITH RECURSIVE tree AS (
    SELECT d.id, lpad(to_hex(d.id), 10, '0') COLLATE "C" AS path, 1 AS depth,
           CASE WHEN NOT d.inherits_access OR d.state = 'draft' THEN ARRAY[d.id]
                ELSE ARRAY[d.id, -d.workspace_id] END AS reach,
           CASE WHEN NOT d.inherits_access OR d.state = 'draft' THEN d.id ELSE -d.workspace_id END AS scope_id
    FROM documents_document d WHERE d.workspace_id = %(workspace)s AND d.parent_id IS NULL
    UNION ALL
    SELECT d.id, (t.path || lpad(to_hex(d.id), 10, '0')) COLLATE "C", t.depth + 1,
           CASE WHEN NOT d.inherits_access OR d.state = 'draft' THEN ARRAY[d.id] ELSE d.id || t.reach END,
           CASE WHEN NOT d.inherits_access OR d.state = 'draft' THEN d.id ELSE t.scope_id END
    FROM documents_document d JOIN tree t ON d.parent_id = t.id
), wrong AS (
    SELECT t.*, d.uid, d.path <> t.path AS other_path, d.depth <> t.depth AS other_depth,
           d.reach <> t.reach AS other_reach, d.scope_id <> t.scope_id AS other_scope,
           d.workspace_id <> %(workspace)s AS other_workspace
    FROM documents_document d JOIN tree t ON t.id = d.id
    WHERE (d.path, d.depth, d.reach, d.scope_id, d.workspace_id)
          IS DISTINCT FROM (t.path, t.depth, t.reach, t.scope_id, %(workspace)s::bigint)
)"""
_WRONG_SQL = f"""{TREE_SQL} SELECT uid, other_path, other_depth, other_reach, other_scope, other_workspace
FROM wrong ORDER BY path"""  # noqa: S608 (a text of our own)
_COLUMNS = ("path", "depth", "reach", "scope_id", "workspace_id")

# What no top leads to: its parents run in a circle, or it hangs below one that does.
_LOST_SQL = f"""{TREE_SQL} SELECT d.id FROM documents_document d
WHERE d.workspace_id = %(workspace)s AND NOT EXISTS (SELECT FROM tree t WHERE t.id = d.id)"""  # noqa: S608 (as above)
# Upwards from each until it comes back to itself: of every circle the lowest id.
_CIRCLES_SQL = """WITH RECURSIVE up AS (
    SELECT d.id AS start, d.parent_id AS at, d.id AS lowest, 1 AS steps
    FROM documents_document d WHERE d.id = ANY(%(lost)s)
    UNION ALL
    SELECT up.start, d.parent_id, least(up.lowest, d.id), up.steps + 1
    FROM up JOIN documents_document d ON d.id = up.at WHERE up.at <> up.start AND up.steps < 10000
)
SELECT d.id, d.uid FROM documents_document d
WHERE d.id IN (SELECT start FROM up WHERE at = start AND lowest = start) ORDER BY d.id"""


@dataclasses.dataclass(frozen=True, slots=True)
class Difference:
    """A document whose row says something else than its place; `columns` name what."""

    uid: uuid.UUID
    columns: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Circle:
    """A document that stands below itself, the one with the lowest key of those in the circle."""

    pk: int
    uid: uuid.UUID


def differences_in(workspace: int) -> list[Difference]:
    """The documents of a workspace's trees whose derived columns are wrong, from the top down."""
    with connection.cursor() as cursor:
        cursor.execute(_WRONG_SQL, {"workspace": workspace})
        rows = cursor.fetchall()
    return [
        Difference(uid, tuple(name for name, other in zip(_COLUMNS, others, strict=True) if other))
        for uid, *others in rows
    ]


def circles_in(workspace: int) -> list[Circle]:
    """The circles among a workspace's documents, which no top leads to."""
    with connection.cursor() as cursor:
        cursor.execute(_LOST_SQL, {"workspace": workspace})
        lost = [pk for (pk,) in cursor.fetchall()]
    return _circles(lost) if lost else []


def _circles(lost: Collection[int]) -> list[Circle]:
    with connection.cursor() as cursor:
        cursor.execute(_CIRCLES_SQL, {"lost": list(lost)})
        rows: Sequence[tuple[int, uuid.UUID]] = cursor.fetchall()
    return [Circle(pk, uid) for pk, uid in rows]
