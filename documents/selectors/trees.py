"""The tree of a workspace as its reader may see it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from django.db import connection

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.cursors import Cursor
from cloudscribe.lib.errors import InvalidInput
from documents import limits
from documents.models import Document
from documents.visibility import visible_parameters, visible_sql

MAX_NODES = 10_000

Node = dict[str, Any]
_ID, _PATH, _POSITION, _DEPTH = 0, 2, 4, 9

_STANDING = "d.trashed_at IS NULL AND d.state <> 'archived' AND NOT d.template"
# From where the reader's sight begins, down by levels: the tops of the workspace, and what was granted below
# something hidden. Below a hidden node sight begins anew at the next grant, so the walk may stop there. Of
# the nodes of the first level so many are taken, from the cursor on.
_TREE = """
WITH RECURSIVE tree AS (
    (SELECT s.id, s.path, 1 AS level FROM ({start}) AS s
     WHERE %(edge_id)s::bigint IS NULL
        OR (s.depth, s.position, s.id)
         > (%(edge_depth)s::smallint, %(edge_position)s::text, %(edge_id)s::bigint)
     ORDER BY s.depth, s.position, s.id LIMIT %(tops)s)
    UNION
    SELECT d.id, d.path, t.level + 1 FROM documents_document d JOIN tree t ON d.parent_id = t.id
    WHERE t.level < %(depth)s AND {standing} AND {visible}
)
SELECT d.id, d.uid, d.path, d.title, d.position, d.icon, d.state, d.revision,
       EXISTS (SELECT FROM documents_document c WHERE c.parent_id = d.id AND c.trashed_at IS NULL
               AND c.state <> 'archived' AND NOT c.template AND {child_visible}), d.depth, t.begins
FROM (SELECT id, bool_or(level = 1) AS begins FROM tree GROUP BY id) AS t
JOIN documents_document d ON d.id = t.id
ORDER BY d.depth, d.position, d.id LIMIT %(most)s
"""
_FROM_TOP = """
    SELECT d.id, d.path, d.depth, d.position FROM documents_document d
    WHERE d.workspace_id = %(workspace)s AND d.parent_id IS NULL AND {standing} AND {visible}
    UNION
    SELECT d.id, d.path, d.depth, d.position
    FROM documents_document d JOIN documents_document p ON p.id = d.parent_id
    WHERE d.id = ANY(%(roots)s::bigint[]) AND d.workspace_id = %(workspace)s AND {standing} AND {visible}
      AND NOT ({parent_visible})
"""
_FROM_PARENT = """
    SELECT d.id, d.path, d.depth, d.position FROM documents_document d
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


@dataclasses.dataclass(frozen=True, slots=True)
class Tree:
    """Nested nodes, and where the next page of the first level begins: depth, position and key."""

    nodes: list[Node]
    next: Cursor | None = None


def too_large(where: str) -> str:
    """What is said of a tree beyond the limit."""
    return f"The tree {where} has more than {MAX_NODES} nodes; ask for less of it."


def workspace_tree(
    actor: Actor,
    workspace: int,
    *,
    depth: int = limits.DEPTH,
    parent: Document | None = None,
    size: int | None = None,
    cursor: Cursor | None = None,
) -> Tree:
    """Nested nodes `id title position has_children children`, each below its nearest visible ancestor.

    With a `size` the first level ends after so many nodes. Raises InvalidInput where more than 10,000 nodes
    would be answered.
    """
    edge = cursor.values if cursor else (None, None, None)
    parameters = {
        **visible_parameters(actor),
        **dict(zip(("edge_depth", "edge_position", "edge_id"), edge, strict=True)),
        "workspace": workspace,
        "parent": parent.pk if parent else None,
        "depth": depth,
        "tops": MAX_NODES + 1 if size is None else size + 1,
        "most": MAX_NODES + 1,
    }
    with connection.cursor() as statement:
        statement.execute(_FROM_PARENT_SQL if parent else _FROM_TOP_SQL, parameters)
        rows = statement.fetchall()
    if len(rows) > MAX_NODES:
        raise InvalidInput.field("?depth", "too_large", too_large("at this depth"))
    begun = [row for row in rows if row[-1]]
    if size is None or len(begun) <= size:
        return Tree(_nest(rows))
    # One more was asked for than is shown. Counted before they are nested: some hang below others.
    beyond = begun[size][_PATH]
    pk, position, depth = (begun[size - 1][column] for column in (_ID, _POSITION, _DEPTH))
    return Tree(
        _nest([row for row in rows if not row[_PATH].startswith(beyond)]), Cursor((depth, position, pk))
    )


def node_of(columns: Sequence[Any]) -> Node:
    """A node of a tree's answer from its six columns, with nothing below it as yet."""
    names = ("id", "title", "icon", "state", "position", "revision")
    return {**dict(zip(names, columns, strict=True)), "has_children": False, "children": []}


def _nest(rows: list[tuple[Any, ...]]) -> list[Node]:
    """The nodes of the first level."""
    nodes: dict[str, Node] = {}
    tops: list[Node] = []
    for _, uid, path, title, position, icon, state, revision, has_children, *_ in rows:
        node = nodes[path[-10:]] = node_of((uid, title, icon, state, position, revision))
        node["has_children"] = has_children
        above = next(
            (
                nodes[path[start : start + 10]]
                for start in range(len(path) - 20, -1, -10)
                if path[start : start + 10] in nodes
            ),
            None,
        )
        (tops if above is None else above["children"]).append(node)
    return tops
