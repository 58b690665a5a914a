"""`documents/{id}/backlinks/`: what links here."""

from __future__ import annotations

from typing import ClassVar

from django.http import HttpResponseBase
from rest_framework.request import Request

from cloudscribe.lib.permissions import Authenticated
from documents.api.answering import DocumentAnswering
from documents.api.serializers import DocumentListed
from documents.selectors.backlinks import backlinks_of


class BacklinkViewSet(DocumentAnswering):
    """The documents whose bodies link to one."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"list": DocumentListed}
    scope_map: ClassVar = {"list": "documents:read"}
    problems: ClassVar = {"list": (410,)}
    ordering_choices: ClassVar = ("created_at", "title", "updated_at")
    default_ordering = "-updated_at"
    tag = "documents"

    def list(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """The documents that link to this one, of those that the reader may see, the newest first.

        Read from links in their bodies whenever those are written: `cs://{id}`, and addresses of documents
        under this server. Of a body over 100 KB within a minute.
        """
        return self.documents_paged(backlinks_of(self.actor, self.document_here()))
