"""The tree of a workspace as its reader may see it."""

from __future__ import annotations

from typing import Any

from django.db import connection

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import InvalidInput
from documents import limits
from documents.models import Document
from documents.visibility import visible_parameters, visible_sql

MAX_NODES = 10_000

_STANDING = "d.trashed_at IS NULL AND d.state <> 'archived' AND NOT d.template"
# From where the reader's sight begins, down by levels: the tops of the workspace, and what was granted below
# something hidden. Below a hidden node sight begins anew at the next grant, so the walk may stop there.
_TREE = """
WITH RECURSIVE tree AS (
    {start}
    UNION
    SELECT d.id, d.path, t.level + 1 FROM documents_document d JOIN tree t ON d.parent_id = t.id
    WHERE t.level < %(depth)s AND {standing} AND {visible}
)
SELECT d.id, d.uid, d.path, d.title, d.position, d.icon, d.state, d.revision,
       EXISTS (SELECT FROM documents_document c WHERE c.parent_id = d.id AND c.trashed_at IS NULL
               AND c.state <> 'archived' AND NOT c.template AND {child_visible})
FROM (SELECT DISTINCT id FROM tree) AS t JOIN documents_document d ON d.id = t.id
ORDER BY d.depth, d.position, d.id LIMIT %(most)s
"""
_FROM_TOP = """
    SELECT d.id, d.path, 1 AS level FROM documents_document d
    WHERE d.workspace_id = %(workspace)s AND d.parent_id IS NULL AND {standing} AND {visible}
    UNION
    SELECT d.id, d.path, 1 FROM documents_document d JOIN documents_document p ON p.id = d.parent_id
    WHERE d.id = ANY(%(roots)s::bigint[]) AND d.workspace_id = %(workspace)s AND {standing} AND {visible}
      AND NOT ({parent_visible})
"""
_FROM_PARENT = """
    SELECT d.id, d.path, 1 AS level FROM documents_document d
    WHERE d.parent_id = %(parent)s AND {standing} AND {visible}
"""


def _text(start: str) -> str:
    parts = {
        "standing": _STANDING,
        "visible": visible_sql("d"),
        "parent_visible": visible_sql("p"),
        "child_visible": visible_sql("c"),
    }
    return _TREE.format(start=start.format(**parts), **parts)


_FROM_TOP_SQL = _text(_FROM_TOP)
_FROM_PARENT_SQL = _text(_FROM_PARENT)


def workspace_tree(
    actor: Actor, workspace: int, *, depth: int = limits.DEPTH, parent: Document | None = None
) -> list[dict[str, Any]]:
    """Nested nodes `id title position has_children children`, each below its nearest visible ancestor.

    Raises InvalidInput where more than 10,000 nodes would be answered.
    """
    parameters = {
        **visible_parameters(actor),
        "workspace": workspace,
        "parent": parent.pk if parent else None,
        "depth": depth,
        "most": MAX_NODES + 1,
    }
    with connection.cursor() as cursor:
        cursor.execute(_FROM_PARENT_SQL if parent else _FROM_TOP_SQL, parameters)
        rows = cursor.fetchall()
    if len(rows) > MAX_NODES:
        text = (
            f"The tree has more than {MAX_NODES} nodes at this depth; ask for a smaller depth or by parent."
        )
        raise InvalidInput.field("?depth", "too_large", text)
    return _nest(rows)


def _nest(rows: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    nodes: dict[str, dict[str, Any]] = {}
    tops: list[dict[str, Any]] = []
    for _, uid, path, title, position, icon, state, revision, has_children in rows:
        label = path[-10:]
        nodes[label] = {
            "id": uid,
            "title": title,
            "icon": icon,
            "state": state,
            "position": position,
            "revision": revision,
            "has_children": has_children,
            "children": [],
        }
        above = next(
            (
                nodes[path[start : start + 10]]
                for start in range(len(path) - 20, -1, -10)
                if path[start : start + 10] in nodes
            ),
            None,
        )
        (tops if above is None else above["children"]).append(nodes[label])
    return tops
