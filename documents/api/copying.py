"""`documents/{id}/copy/`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from cloudscribe.jobs.api.serializers import JobOutput
from cloudscribe.jobs.models import Job
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import StrictBooleanField, StrictCharField
from documents import limits
from documents.api.destinations import DestinationMixin
from documents.api.serializers import DocumentAnswer, MoveInput
from documents.services.copying import Copying, document_copy

_PLACE = frozenset({"workspace", "parent", "before", "after"})


class CopyInput(MoveInput):
    """Where to, beside the document where nothing is said, and what goes along."""

    title = StrictCharField(required=False, max_length=limits.TITLE_LENGTH)
    include_children = StrictBooleanField(required=False, help_text="All below it that you see, too.")


class CopyingViewSet(DestinationMixin):
    """Copies of documents."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"copy": CopyInput}
    answers: ClassVar = {"copy": DocumentAnswer}
    statuses: ClassVar = {"copy": 201}
    scope_map: ClassVar = {"copy": "documents:write"}
    etag_actions: ClassVar = ("copy",)
    problems: ClassVar = {"copy": (409, 410, 423)}
    tag = "documents"

    @extend_schema(responses={201: DocumentAnswer, 202: JobOutput})
    def copy(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """Copy a document and, with `include_children`, what you see below it.

        Body, tags, icon, language and files go along, links inside lead to the copies; grants, comments and
        history don't. A draft stays a draft, of yours. Above 200 documents a job does it, which names the
        copy in its result.
        """
        document = self.document_here("parent")
        given: dict[str, Any] = self.input()
        to = self.destination(document, given) if given.keys() & _PLACE else None
        copying = Copying(to, given.get("title"), include_children=given.get("include_children", False))
        made = document_copy(actor=self.actor, document=document, copying=copying)
        if isinstance(made, Job):
            return self.job_answer(made)
        return self.document_answer(made, created=True, rights_changed=made.is_cut)
