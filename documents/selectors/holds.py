"""Legal holds: which there are, and whether one stands in the way. They ask for no rights of readers."""

from __future__ import annotations

import uuid

from django.db import connection
from django.db.models import Exists, F, OuterRef, Q, QuerySet
from django.db.models.lookups import StartsWith

from accounts.models import User
from cloudscribe.lib.errors import NotFound
from documents.models import Document, Hold, Workspace

# From the few holds to what they cover, not from all that somebody ever wrote.
_CONCERNS_SQL = """
SELECT EXISTS (
    SELECT FROM documents_hold h
    LEFT JOIN documents_document root ON root.id = h.document_id
    JOIN documents_document d ON d.workspace_id = h.workspace_id
      OR (d.path >= root.path AND d.path < root.path || 'g')
    WHERE h.released_at IS NULL AND (
      d.owner_id = %(user)s OR d.created_by_id = %(user)s
      OR EXISTS (SELECT FROM documents_revision r WHERE r.document_id = d.id AND r.author_id = %(user)s)
      OR EXISTS (SELECT FROM documents_thread t JOIN documents_comment c ON c.thread_id = t.id
                 WHERE t.document_id = d.id AND c.author_id = %(user)s)))
"""


def hold_target(kind: str, uid: uuid.UUID) -> Document | Workspace:
    """The `document` or `workspace` with this id, whoever may see it, the trash included.

    For holders of the permission alone. Raises NotFound.
    """
    rows: QuerySet[Document] | QuerySet[Workspace] = (
        Document.objects.select_related("workspace") if kind == "document" else Workspace.objects.all()
    )
    found = rows.filter(uid=uid).first()
    if found is None:
        raise NotFound
    return found


def holds_of(target: Document | Workspace) -> QuerySet[Hold]:
    """The holds that concern a document (on it, above it, on its workspace) or are in a workspace at all.

    Released ones are among them.
    """
    rows = Hold.objects.select_related("workspace", "document__workspace", "placed_by", "released_by")
    if isinstance(target, Workspace):
        return rows.filter(Q(workspace=target) | Q(document__workspace=target))
    return rows.filter(Q(workspace=target.workspace_id) | Q(document__in=target.line))


def document_is_held(document: Document) -> bool:
    """Whether a hold stands on a document, on anything above it, or on its workspace."""
    return holds_of(document).filter(released_at__isnull=True).exists()


def subtree_is_held(root: Document) -> bool:
    """Whether a hold stands on a document, on anything above or below it, or on its workspace."""
    below = Q(document__path__gte=root.path, document__path__lt=root.path + "g")
    reached = Q(workspace=root.workspace_id) | Q(document__in=root.line) | below
    return _standing().filter(reached).exists()


def workspace_is_held(workspace: Workspace) -> bool:
    """Whether a hold stands on a workspace or anything in it."""
    return _standing().filter(Q(workspace=workspace) | Q(document__workspace=workspace)).exists()


def person_is_held(user: User) -> bool:
    """Whether a hold stands on anything that a person owns, made, wrote a revision of or commented on."""
    with connection.cursor() as cursor:
        cursor.execute(_CONCERNS_SQL, {"user": user.pk})
        return bool(cursor.fetchone()[0])


def held() -> Exists:
    """`subtree_is_held` as a condition on rows of documents."""
    above = StartsWith(OuterRef("path"), F("document__path"))
    below = StartsWith(F("document__path"), OuterRef("path"))
    return Exists(_standing().filter(Q(workspace=OuterRef("workspace")) | Q(above) | Q(below)))


def _standing() -> QuerySet[Hold]:
    return Hold.objects.filter(released_at__isnull=True)
