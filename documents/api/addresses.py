"""`/d/{slug}-{short id}`: the address of a document that people read and pass on."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.http import HttpResponse, HttpResponseBase
from django.urls import path
from rest_framework.request import Request

from cloudscribe.lib.conditional import if_none_match
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.renderers import dump_json
from cloudscribe.lib.viewsets import ServiceViewSet
from documents.addresses import document_named, document_path
from documents.api.answering import document_location
from documents.api.read_log import document_read_tell
from documents.api.serializers import DocumentAnswer
from documents.caching import document_opened
from documents.etags import parse_expected
from documents.selectors.reading import Answer, document_read_whole


class AddressViewSet(ServiceViewSet):
    """Documents by the address that follows their title."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"retrieve": DocumentAnswer}
    scope_map: ClassVar = {"retrieve": "documents:read"}
    problems: ClassVar = {"retrieve": (410,)}
    tag = "documents"

    def retrieve(self, request: Request, name: str) -> HttpResponseBase:
        """A document by its address, as `documents/{id}/` answers it; 308 from an address under an old title.

        The right is checked first: what is hidden is 404 under any name.
        """
        uid = document_named(name)
        if uid is None:
            raise NotFound
        answer, etag = self._read(request, uid)
        current = document_path(uid, answer["title"])
        if name != current.rpartition("/")[2]:
            return HttpResponse(status=308, headers={"Location": request.build_absolute_uri(current)})
        document_opened(self.actor, uid)
        document_read_tell(request, self.actor, answer, etag)
        response = self.raw_json(dump_json(answer), etag=etag)
        response.headers["Content-Location"] = document_location(uid)
        return response

    def _read(self, request: Request, uid: uuid.UUID) -> tuple[Answer, str]:
        def matches(etag: str) -> Any:
            return if_none_match(request, etag)

        known = parse_expected(request.META.get("HTTP_IF_NONE_MATCH", ""))
        return document_read_whole(self.actor, uid, known.revision if known else None, matches)


urlpatterns = [path("<str:name>", AddressViewSet.as_view({"get": "retrieve"}))]
