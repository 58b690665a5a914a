"""The trail as auditors read it: `audit/events/…`."""

from __future__ import annotations

from typing import ClassVar

from django.http import HttpResponseBase
from rest_framework.request import Request

from audit.api.serializers import EventOutput, EventQuery
from audit.selectors import events_found
from cloudscribe.lib.permissions import HasPermission
from cloudscribe.lib.viewsets import ServiceViewSet


class EventsViewSet(ServiceViewSet):
    """Events, read-only."""

    permission_classes = [HasPermission("audit.view_event")]
    serializers: ClassVar = {"list": EventOutput, "retrieve": EventOutput}
    queries: ClassVar = {"list": EventQuery}
    scope_map: ClassVar = {"list": "audit:read", "retrieve": "audit:read"}
    rate_scope = "reads"
    tag = "Audit"

    def list(self, request: Request) -> HttpResponseBase:
        """What happened, newest first."""
        return self.paged(events_found(**self.query()))

    def retrieve(self, request: Request, sequence: int) -> HttpResponseBase:
        """One event by its number."""
        return self.respond(self.shown(self.get_object_or_404(events_found(), sequence=sequence)))
