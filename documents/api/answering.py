"""How views answer with documents: by the write's own row, or read by the hot statement, with the ETag."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase

from cloudscribe.jobs.api.serializers import JobOutput
from cloudscribe.jobs.models import Job
from cloudscribe.lib.viewsets import ServiceViewSet
from documents.api.reaching import DocumentReached
from documents.models import Document
from documents.selectors.editing import document_shown
from documents.selectors.reading import document_read, documents_listed
from documents.services.locking import actor_renewed


def document_location(uid: uuid.UUID) -> str:
    """The address of a document."""
    return f"/api/v1/documents/{uid}/"


class JobAnswering(ServiceViewSet):
    """A view some of whose writes are a job's work."""

    def job_answer(self, job: Job) -> HttpResponseBase:
        """202 with the job that does it."""
        shown = JobOutput(job, context=self.get_serializer_context()).data
        return self.respond(shown, status=202, location=f"/api/v1/jobs/{job.uid}/")


class DocumentAnswering(DocumentReached, ServiceViewSet):
    """A view whose writes answer with a document."""

    def document_answer(
        self,
        document: Document,
        *,
        row: Sequence[Any] | None = None,
        rights_changed: bool = False,
        created: bool = False,
        **extra: Any,
    ) -> HttpResponseBase:
        """The document as the actor sees it now, `extra` beside its fields.

        `row` is what the write gave back, else it is read. `rights_changed` asks for the stamps anew, where
        the write may have changed the actor's own rights.
        """
        actor = actor_renewed(self.actor) if rights_changed else self.actor
        answer, etag = document_read(actor, document.uid) if row is None else document_shown(actor, row)
        location = document_location(document.uid) if created else None
        return self.respond({**answer, **extra}, etag=etag, location=location)

    def documents_paged(self, queryset: QuerySet[Document], *, content: bool = False) -> HttpResponseBase:
        """A page of visible documents, ordered as the request asks; two statements."""
        rows = self.paginate_queryset(queryset) or ()
        listed = documents_listed(self.actor, [row.pk for row in rows], content=content)
        return self.get_paginated_response([listed[row.pk] for row in rows if row.pk in listed])
