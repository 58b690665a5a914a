"""`me/export/`: all that is one's own, as an archive that a job makes."""

from __future__ import annotations

from typing import ClassVar

from django.http import HttpResponseBase
from rest_framework.request import Request

from accounts.services.exports import export_request
from cloudscribe.jobs.api.serializers import JobOutput
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.viewsets import ServiceViewSet


class ExportViewSet(ServiceViewSet):
    """The signed-in person's own data."""

    permission_classes = [Authenticated]
    answer_serializer = JobOutput
    statuses: ClassVar = {"create": 202}
    rate_scope = "export"

    def create(self, request: Request) -> HttpResponseBase:
        """Ask for an archive of all that is one's own; the job's result names its address."""
        job = export_request(actor=self.actor)
        return self.respond(self.shown(job), location=f"/api/v1/jobs/{job.uid}/")
