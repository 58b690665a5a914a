"""The two reads before a write to a document, as prebuilt SQL: by the ORM they cost a third of a PATCH."""

from __future__ import annotations

import uuid

from django.db import connection

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from documents.models import Document, DocumentBody, Workspace
from documents.visibility import VISIBLE_SQL, visible_parameters

# What rights, state and revision are read from, and what a revision holds; the rest stays deferred.
_WANTED = {
    *("id", "uid", "workspace_id", "path", "reach", "scope_id", "state", "trashed_at", "revision"),
    *("title", "language", "icon", "tags", "template"),
}
# In the model's order, which `from_db` goes by.
_NAMES = tuple(field.attname for field in Document._meta.concrete_fields if field.attname in _WANTED)  # noqa: SLF001
_COLUMNS = ", ".join(f"d.{name}" for name in _NAMES)
_FIND_SQL = f"SELECT {_COLUMNS} FROM documents_document d WHERE d.uid = %(uid)s AND {VISIBLE_SQL}"  # noqa: S608
# Both rows are locked, or the body would be as old as the statement where this waited for another writer.
_LOCK_SQL = f"""SELECT {_COLUMNS}, w.id, w.uid, b.document_id, b.content, b.sha256, b.size
FROM documents_documentbody b
JOIN documents_document d ON d.id = b.document_id
JOIN documents_workspace w ON w.id = d.workspace_id
WHERE b.document_id = %s FOR NO KEY UPDATE OF d, b"""  # noqa: S608


def document_find(actor: Actor, uid: uuid.UUID) -> Document:
    """The document with this id, if the actor may see it, the trash included; else raises NotFound."""
    with connection.cursor() as cursor:
        cursor.execute(_FIND_SQL, {"uid": uid, **visible_parameters(actor)})
        row = cursor.fetchone()
    if row is None:
        raise NotFound
    return Document.from_db(connection.alias, _NAMES, row)


def document_locked(pk: int) -> tuple[Document, DocumentBody]:
    """A document with its workspace's ids, and its body, both rows locked; raises NotFound for none.

    The caller asks for the rights afterwards: they may have changed while this waited.
    """
    with connection.cursor() as cursor:
        cursor.execute(_LOCK_SQL, [pk])
        row = cursor.fetchone()
    if row is None:
        raise NotFound
    split = len(_NAMES)
    document = Document.from_db(connection.alias, _NAMES, row[:split])
    document.workspace = Workspace.from_db(connection.alias, ("id", "uid"), row[split : split + 2])
    names = ("document_id", "content", "sha256", "size")
    return document, DocumentBody.from_db(connection.alias, names, row[split + 2 :])
