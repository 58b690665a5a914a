"""The document that a route names, as its reader may meet it."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from cloudscribe.lib.errors import NotFound
from documents.exceptions import DocumentTrashed
from documents.models import Document
from documents.policies import Action, can
from documents.selectors.visible import document_visible

if TYPE_CHECKING:
    from cloudscribe.lib.viewsets import ServiceViewSet

    _Base = ServiceViewSet
else:
    _Base = object


class DocumentReached(_Base):
    """For the views of a document and of what hangs on it; `document_kwarg` is the route's name of its id."""

    document_kwarg = "id"

    def document_here(self, *related: str) -> Document:
        """The document of the address, with its workspace and `related` rows.

        Raises NotFound for what is absent or hidden, in the trash too unless the actor may edit it, and then
        DocumentTrashed.
        """
        return self.document_named(self.kwargs[self.document_kwarg], *related)

    def document_named(self, uid: uuid.UUID | str, *related: str) -> Document:
        """Likewise the document that something else than the address names."""
        document = document_visible(self.actor, uid, "workspace", *related)
        if document.is_trashed:
            self._refuse_trashed(document)
        return document

    def _refuse_trashed(self, document: Document) -> None:
        if can(self.actor, Action.EDIT, document):
            raise DocumentTrashed
        raise NotFound
