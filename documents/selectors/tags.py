"""The tags of a workspace, of what the reader sees of it."""

from __future__ import annotations

from django.db import connection

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.cursors import Cursor, Page, cut_page
from documents.models import Document, Workspace
from documents.visibility import VISIBLE_SQL, visible_parameters, visible_to

# As lists have it: without what is archived, trashed or a template.
_TAGS_SQL = f"""
SELECT t.tag, count(*) FROM documents_document d CROSS JOIN LATERAL unnest(d.tags) AS t (tag)
WHERE d.workspace_id = %(workspace)s AND d.trashed_at IS NULL AND d.state <> 'archived' AND NOT d.template
  AND {VISIBLE_SQL} AND {{edge}}
GROUP BY t.tag ORDER BY t.tag COLLATE "C" {{way}} LIMIT %(most)s
"""  # noqa: S608 (a fragment of our own)
_TEXTS = {
    None: _TAGS_SQL.format(edge="true", way="ASC"),
    False: _TAGS_SQL.format(edge='t.tag COLLATE "C" > %(edge)s', way="ASC"),
    True: _TAGS_SQL.format(edge='t.tag COLLATE "C" < %(edge)s', way="DESC"),
}


def tags_page(
    actor: Actor, workspace: Workspace, *, size: int, cursor: Cursor | None
) -> Page[tuple[str, int]]:
    """Tags with the number of documents that a list of the tag would show, by name; in one statement."""
    parameters = {**visible_parameters(actor), "workspace": workspace.pk, "most": size + 1}
    if cursor is not None:
        parameters["edge"] = cursor.values[0]
    with connection.cursor() as statement:
        statement.execute(_TEXTS[cursor.reverse if cursor else None], parameters)
        rows = statement.fetchall()
    return cut_page(rows, size, cursor, lambda row: (row[0],))


def tag_is_used(actor: Actor, workspace: Workspace, tag: str) -> bool:
    """Whether a document that the actor sees, outside of the trash, has the tag."""
    rows = Document.objects.filter(workspace=workspace, tags__contains=[tag], trashed_at__isnull=True)
    return visible_to(rows, actor).exists()
