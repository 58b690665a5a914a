"""The trail as auditors read it: `audit/events/…`."""

from __future__ import annotations

from typing import ClassVar

from django.http import HttpResponseBase
from rest_framework.request import Request

from audit.api.serializers import EventExportInput, EventOutput, EventQuery
from audit.exporting import ExportFormat
from audit.selectors import events_found
from audit.selectors.archives import archived_check
from audit.services import events_export_request
from cloudscribe.jobs.api.serializers import JobOutput
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.permissions import HasPermission
from cloudscribe.lib.viewsets import ServiceViewSet


class EventsViewSet(ServiceViewSet):
    """Events, read-only."""

    permission_classes = [HasPermission("audit.view_event")]
    serializers: ClassVar = {"list": EventOutput, "retrieve": EventOutput}
    queries: ClassVar = {"list": EventQuery}
    scope_map: ClassVar = {"list": "audit:read", "retrieve": "audit:read"}
    problems: ClassVar = {"retrieve": (404, 410)}
    rate_scope = "reads"
    tag = "Audit"

    def list(self, request: Request) -> HttpResponseBase:
        """What happened, newest first."""
        return self.paged(events_found(**self.query()))

    def retrieve(self, request: Request, sequence: int) -> HttpResponseBase:
        """One event by its number.

        410 `event_archived` says that it left the database for an archive, and for which.
        """
        event = events_found().filter(sequence=sequence).first()
        if event is None:
            archived_check(sequence)
            raise NotFound
        return self.respond(self.shown(event))


class EventExportViewSet(ServiceViewSet):
    """The trail as a file."""

    permission_classes = [HasPermission("audit.export_event")]
    serializers: ClassVar = {"create": EventExportInput}
    answer_serializer = JobOutput
    statuses: ClassVar = {"create": 202}
    scope_map: ClassVar = {"create": "audit:read"}
    rate_scope = "export"
    tag = "Audit"

    def create(self, request: Request) -> HttpResponseBase:
        """Ask for the events that match as NDJSON, which verifies anywhere, or CSV; a job makes the file."""
        filters = self.input()
        form = ExportFormat(filters.pop("format"))
        job = events_export_request(actor=self.actor, form=form, filters=filters)
        return self.respond(self.shown(job), location=f"/api/v1/jobs/{job.uid}/")
