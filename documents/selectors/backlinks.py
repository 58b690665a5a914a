"""What links to a document, as far as the reader may see it."""

from __future__ import annotations

from django.db.models import QuerySet

from cloudscribe.lib.actor import Actor
from documents.models import Document
from documents.visibility import visible_to


def backlinks_of(actor: Actor, document: Document) -> QuerySet[Document]:
    """The visible documents whose bodies link to this one, outside of the trash; archived ones, too."""
    sources = Document.objects.filter(references__target_uid=document.uid, trashed_at__isnull=True)
    return visible_to(sources, actor)
