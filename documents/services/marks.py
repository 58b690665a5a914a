"""What people mark for themselves: favourites, watches, what they opened last.

They are seen by their person alone and give no right, so they are no events: the trail tells who did what to
documents, not what somebody finds worth reading.
"""

from __future__ import annotations

from typing import Any

from django.db import connection
from uuid_utils.compat import uuid7

from accounts.actors import person_pk
from accounts.models import User
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional
from documents.models import Document, Favorite, Reaction, RecentView, Watch, Workspace
from documents.visibility import visible_to

# What is marked isn't removed before the mark stands: its key would be refused when the transaction ends.
_FAVORITE_SQL = """
INSERT INTO documents_favorite (user_id, document_id)
SELECT %(user)s, d.id FROM documents_document d WHERE d.id = %(document)s FOR KEY SHARE
ON CONFLICT (user_id, document_id) DO NOTHING
"""
_WATCH_DOCUMENT_SQL = """
INSERT INTO documents_watch AS w (uid, user_id, document_id, subtree)
SELECT %(uid)s, %(user)s, d.id, %(subtree)s FROM documents_document d WHERE d.id = %(target)s FOR KEY SHARE
ON CONFLICT (user_id, document_id) WHERE document_id IS NOT NULL
DO UPDATE SET subtree = excluded.subtree, updated_at = now() WHERE w.subtree <> excluded.subtree
"""
_WATCH_WORKSPACE_SQL = """
INSERT INTO documents_watch (uid, user_id, workspace_id, subtree)
SELECT %(uid)s, %(user)s, w.id, false FROM documents_workspace w WHERE w.id = %(target)s FOR KEY SHARE
ON CONFLICT (user_id, workspace_id) WHERE workspace_id IS NOT NULL DO NOTHING
"""
# As many as anybody looks back upon.
_RECENT_KEPT = 200
_PRUNE_SQL = """
DELETE FROM documents_recentview v USING (
    SELECT id, row_number() OVER (PARTITION BY user_id ORDER BY seen_at DESC, id DESC) AS place
    FROM documents_recentview) AS ranked
WHERE v.id = ranked.id AND ranked.place > %(kept)s
"""


@transactional
def favorite_add(*, actor: Actor, document: Document) -> None:
    """Put a document among the actor's favourites; twice changes nothing. The caller has found it visible."""
    with connection.cursor() as cursor:
        cursor.execute(_FAVORITE_SQL, {"user": person_pk(actor), "document": document.pk})


@transactional
def favorite_remove(*, actor: Actor, document: Document) -> None:
    """Take a document from the actor's favourites; what isn't there is no fault."""
    Favorite.objects.filter(user_id=person_pk(actor), document=document).delete()


@transactional
def watch_set(*, actor: Actor, target: Document | Workspace, subtree: bool = False) -> Watch:
    """Watch a document, with `subtree` all below it too, or a workspace; the latest wish counts.

    The caller has found it visible. Raises NotFound for what was removed meanwhile.
    """
    user = person_pk(actor)
    of_document = isinstance(target, Document)
    values: dict[str, Any] = {"uid": uuid7(), "user": user, "target": target.pk, "subtree": subtree}
    with connection.cursor() as cursor:
        cursor.execute(_WATCH_DOCUMENT_SQL if of_document else _WATCH_WORKSPACE_SQL, values)
    mine = Watch.objects.select_related("document__workspace", "workspace").filter(user_id=user)
    row = (mine.filter(document=target.pk) if of_document else mine.filter(workspace=target.pk)).first()
    if row is None:
        raise NotFound
    return row


@transactional
def watch_remove(*, actor: Actor, target: Document | Workspace) -> None:
    """Watch no more; what isn't watched is no fault."""
    mine = Watch.objects.filter(user_id=person_pk(actor))
    of_document = isinstance(target, Document)
    (mine.filter(document=target.pk) if of_document else mine.filter(workspace=target.pk)).delete()


@transactional
def recent_forget(*, actor: Actor) -> None:
    """Forget what the actor opened; what a process has yet to write may come back within ten seconds.

    By a token that is cut to a place what lies outside of it stays.
    """
    mine = RecentView.objects.filter(user_id=person_pk(actor))
    if actor.limit is not None:
        mine = mine.filter(document__in=visible_to(Document.objects.all(), actor))
    mine.delete()


@transactional
def recent_prune(*, actor: Actor) -> int:
    """Keep the newest 200 of what each person opened; how many older ones went."""
    with connection.cursor() as cursor:
        cursor.execute(_PRUNE_SQL, {"kept": _RECENT_KEPT})
        return int(cursor.rowcount)


def marks_forget(user: User) -> None:
    """Remove all marks and reactions of a person who is deleted, within the caller's transaction."""
    for marks in (Favorite, Reaction, RecentView, Watch):
        marks._default_manager.filter(user_id=user.pk).delete()  # noqa: SLF001 (Django's documented name)
