"""Putting right what documents derive from their place, after somebody changed the database by hand."""

from __future__ import annotations

from django.db import connection

from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional
from documents.models import Document, Workspace
from documents.selectors.derived import TREE_SQL, circles_in
from documents.services.locking import Strength, workspace_lock

_CHOSEN = f"{TREE_SQL}, chosen AS (SELECT * FROM wrong ORDER BY path LIMIT %(most)s)"  # noqa: S608 (a text of our own)
# Paths are unique at every moment: who has somebody else's path steps aside.
_ASIDE_SQL = f"""{_CHOSEN} UPDATE documents_document d SET path = '~' || d.id
FROM chosen c WHERE d.path = c.path AND d.id <> c.id"""  # noqa: S608 (as above)
_MEND_SQL = f"""{_CHOSEN} UPDATE documents_document d
SET path = c.path, depth = c.depth, reach = c.reach, scope_id = c.scope_id, workspace_id = %(workspace)s
FROM chosen c WHERE c.id = d.id"""  # noqa: S608 (as above)
BATCH = 5_000


@transactional
def access_mend_next(*, actor: Actor, workspace: Workspace, most: int = BATCH) -> int:
    """Mend some of a workspace's documents from the top down; how many, 0 when nothing is left to mend.

    A circle is opened at its lowest key, which then stands on top and is cut, so that nobody gains a right by
    it. Raises WorkspaceBusy; a workspace that is gone has nothing to mend.
    """
    try:
        # Nothing is moved meanwhile, and nothing new is placed below what is wrong.
        workspace_lock(workspace.pk, Strength.REWRITE)
    except NotFound:
        return 0
    circles = [circle.pk for circle in circles_in(workspace.pk)]
    opened = Document.objects.filter(pk__in=circles)
    for pk in circles:
        opened.filter(pk=pk).update(parent=None, inherits_access=False, scope_id=pk)
    parameters = {"workspace": workspace.pk, "most": most}
    with connection.cursor() as cursor:
        cursor.execute(_ASIDE_SQL, parameters)
        cursor.execute(_MEND_SQL, parameters)
        mended = cursor.rowcount
    if mended or circles:
        event_record(
            actor=actor,
            action="workspace.access_mended",
            target=Target("workspace", workspace.uid, workspace.name),
            workspace_uid=workspace.uid,
            facts={"documents": mended, "circles": len(circles)},
        )
    return mended or len(circles)
