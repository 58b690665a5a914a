"""The filters of lists of documents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.lookups import StartsWith

from cloudscribe.lib.actor import Actor
from documents.models import Attachment, Document, State
from documents.visibility import visible_to

_LOOKUPS = {
    "workspace": "workspace__uid",
    "parent": "parent__uid",
    "owner": "owner__uid",
    "author": "created_by__uid",
    "language": "language",
    "state": "state",
    "template": "template",
    "updated_at__gte": "updated_at__gte",
    "updated_at__lte": "updated_at__lte",
}


def documents_filtered(actor: Actor, query: Mapping[str, Any]) -> QuerySet[Document]:
    """The visible documents that a list shows.

    Without trash, and without archived ones and templates unless the
    query asks for them.
    """
    rows = visible_to(Document.objects.filter(trashed_at__isnull=True), actor)
    rows = rows.filter(**{_LOOKUPS[name]: value for name, value in query.items() if name in _LOOKUPS})
    if "has_attachment" in query:
        attached = Exists(Attachment.objects.filter(document=OuterRef("pk")))
        rows = rows.filter(attached if query["has_attachment"] else ~attached)
    if "tag" in query:
        rows = rows.filter(tags__contains=[query["tag"]])
    if "subtree" in query:
        root = visible_to(Document.objects.filter(uid=query["subtree"]), actor)
        rows = rows.filter(StartsWith(F("path"), Subquery(root.values("path"))))
    if "state" not in query:
        rows = rows.exclude(state=State.ARCHIVED)
    return rows if "template" in query else rows.filter(template=False)
