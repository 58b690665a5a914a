"""The reads before a write to a document, as prebuilt SQL: by the ORM they cost a third of a PATCH."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.db import connection

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.postgresql.base import prepared_rows
from documents.addresses import document_url
from documents.caching import workspace_key
from documents.models import Document, DocumentBody, Workspace
from documents.policies import Action, can
from documents.selectors.reading import Answer, answer_etag, answer_of, names_of
from documents.visibility import rights_of

# What rights, state, lock and revision are read from, and what a revision holds; the rest stays deferred.
_WANTED = {
    *("id", "uid", "workspace_id", "path", "reach", "scope_id", "state", "trashed_at", "revision"),
    *("title", "language", "icon", "tags", "template"),
    *("locked_by_id", "lock_expires_at", "lock_reason"),
}
_ROOM_WANTED = {"id", "uid"}
# In the model's order, which `from_db` goes by.
_NAMES = tuple(field.attname for field in Document._meta.concrete_fields if field.attname in _WANTED)  # noqa: SLF001
_ROOM_NAMES = tuple(
    field.attname
    for field in Workspace._meta.concrete_fields  # noqa: SLF001
    if field.attname in _ROOM_WANTED
)
_COLUMNS = ", ".join([f"d.{name}" for name in _NAMES] + [f"w.{name}" for name in _ROOM_NAMES])
_ROOM_SQL = f"SELECT {', '.join(_ROOM_NAMES)} FROM documents_workspace WHERE uid = %s"  # noqa: S608
# By the key alone and judged in Python: what that costs doesn't grow with the number of grants.
_FIND_SQL = f"""SELECT {_COLUMNS} FROM documents_document d
JOIN documents_workspace w ON w.id = d.workspace_id WHERE d.uid = %s"""  # noqa: S608
# Both rows are locked, or the body would be as old as the statement where this waited for another writer.
_LOCK_SQL = f"""SELECT {_COLUMNS}, b.document_id, b.content, b.sha256, b.size, b.anchored
FROM documents_documentbody b
JOIN documents_document d ON d.id = b.document_id
JOIN documents_workspace w ON w.id = d.workspace_id
WHERE b.document_id = %s::bigint FOR NO KEY UPDATE OF d, b"""  # noqa: S608
_BODY_NAMES = ("document_id", "content", "sha256", "size", "anchored")


def workspace_find(actor: Actor, uid: uuid.UUID) -> Workspace:
    """The workspace with this id, if the actor may see it; else raises NotFound."""
    row = _only(prepared_rows(_ROOM_SQL, [uid]))
    workspace = Workspace.from_db(connection.alias, _ROOM_NAMES, row)
    if not can(actor, Action.SEE, workspace):
        raise NotFound
    return workspace


def workspace_known(actor: Actor, uid: uuid.UUID) -> Workspace:
    """As `workspace_find`, without a statement where this process knows its key: for what locks the row.

    Then all but the key and the id is read when it is asked for. What is hidden takes as long as what isn't
    there.
    """
    key = workspace_key(uid, lambda: None)
    if key is not None:
        workspace = Workspace.from_db(connection.alias, ("id", "uid"), (key, uid))
        if can(actor, Action.SEE, workspace):
            return workspace
    workspace = workspace_find(actor, uid)
    workspace_key(uid, lambda: workspace.pk)
    return workspace


def document_find(actor: Actor, uid: uuid.UUID) -> Document:
    """The document with this id and its workspace, if the actor may see it, the trash included.

    Else raises NotFound.
    """
    document = _document(_only(prepared_rows(_FIND_SQL, [uid])))
    if not can(actor, Action.SEE, document):
        raise NotFound
    return document


def document_locked(pk: int) -> tuple[Document, DocumentBody]:
    """A document with its workspace, and its body, both rows locked; raises NotFound for none.

    The caller asks for the rights afterwards: they may have changed while this waited.
    """
    row = _only(prepared_rows(_LOCK_SQL, [str(pk)]))
    split = len(_NAMES) + len(_ROOM_NAMES)
    return _document(row[:split]), DocumentBody.from_db(connection.alias, _BODY_NAMES, row[split:])


def document_shown(actor: Actor, row: Sequence[Any]) -> tuple[Answer, str]:
    """What `document_read` would give for a row that a write gave back: `COLUMNS` first, the body last.

    Only under the rights that the write was allowed by.
    """
    answer = answer_of(row, names_of([row]), rights_of(actor), actor.limit)
    answer["url"] = document_url(answer["id"], answer["title"], settings.PUBLIC_URL)
    etag = answer_etag(actor, answer, b"full")
    answer["content"] = row[-1]
    return answer, etag


def _only(rows: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    if not rows:
        raise NotFound
    return rows[0]


def _document(row: tuple[Any, ...]) -> Document:
    split = len(_NAMES)
    document = Document.from_db(connection.alias, _NAMES, row[:split])
    document.workspace = Workspace.from_db(connection.alias, _ROOM_NAMES, row[split:])
    return document
