"""What a share link shows: the document, what stands below it as far as it inherits, and their files.

All of it goes by `visible_to` under the link's own actor, so that a part that is cut off, a draft or in the
trash is absent here as everywhere.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection
from typing import Any

from django.db.models import QuerySet

from cloudscribe.lib.errors import NotFound
from documents.caching import rendering
from documents.models import Attachment, BlobState, Document, State
from documents.rendering import Rendered
from documents.selectors.links import HeldLink
from documents.selectors.visible import document_visible
from documents.shared_html import with_ids
from documents.visibility import visible_to

# More than anybody reads through; what stands behind them is found by the links in the text.
MOST_LISTED = 1_000


def shared_rows(held: HeldLink) -> QuerySet[Document]:
    """The documents that the link reaches, outside of the trash."""
    return visible_to(Document.objects.filter(trashed_at__isnull=True), held.actor)


def shared_document(held: HeldLink, key: str | None) -> Document:
    """The document of a key, without one that which the link is for, with its body; raises NotFound."""
    uid = held.document.uid if key is None else held.names.document_uid(key)
    if uid is None:
        raise NotFound
    document = document_visible(held.actor, uid, "workspace", "body")
    if document.is_trashed:
        raise NotFound
    return document


def shared_children(held: HeldLink, document: Document) -> list[Document]:
    """What stands right below it, in its order; none by a link for one document.

    As in lists, without what is archived and without templates.
    """
    if not held.link.include_children:
        return []
    rows = shared_rows(held).filter(parent=document, template=False).exclude(state=State.ARCHIVED)
    return list(rows.only("uid", "title", "icon").order_by("position", "pk")[:MOST_LISTED])


def shared_files(document: Document) -> list[Attachment]:
    """The files of a document that may be served."""
    rows = Attachment.objects.filter(document=document, blob__state=BlobState.READY)
    return list(rows.select_related("blob").order_by("pk")[:MOST_LISTED])


def shared_rendering(document: Document) -> Rendered:
    """The body as HTML, from the cache that all readers share: ids stand in it."""
    rendered = rendering(bytes(document.body.sha256), document.body.content)
    return dataclasses.replace(rendered, html=with_ids(rendered.html))


def shared_answer(held: HeldLink, document: Document) -> dict[str, Any]:
    """The document as the API shows it by a link; four statements with those before, whatever it holds."""
    names = held.names
    rendered = shared_rendering(document)
    return {
        "title": document.title,
        "content": names.masked(document.body.content),
        "html": names.masked(rendered.html),
        "toc": rendered.toc,
        "language": document.language,
        "icon": document.icon,
        "role": held.role,
        "children": [
            {"key": names.document_key(row.uid), "title": row.title, "icon": row.icon}
            for row in shared_children(held, document)
        ],
        "files": [file_answer(held, row) for row in shared_files(document)],
    }


def file_answer(held: HeldLink, row: Attachment) -> dict[str, Any]:
    """A file as a link shows it."""
    return {
        "key": held.names.file_key(row.uid),
        "title": row.name,
        "content_type": row.blob.content_type,
        "size": row.blob.size,
    }


def shared_file(held: HeldLink, key: str) -> Attachment:
    """The file of a key, if the link reaches its document; raises NotFound."""
    uid = held.names.file_uid(key)
    if uid is None:
        raise NotFound
    row = Attachment.objects.select_related("blob").filter(uid=uid).first()
    if row is None or not shared_rows(held).filter(pk=row.document_id).exists():
        raise NotFound
    return row


def shared_among(held: HeldLink, uids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    """Those of some documents that the link reaches."""
    return set(shared_rows(held).filter(uid__in=uids).values_list("uid", flat=True)) if uids else set()


def shared_above(held: HeldLink, document: Document) -> list[Document]:
    """What stands above a document as far as the link reaches, from the top down; nothing for its own."""
    if document.pk == held.document.pk:
        return []
    rows = shared_rows(held).filter(pk__in=document.line[:-1])
    return list(rows.only("uid", "title", "icon").order_by("depth"))
