"""Background work as its owner follows it: `jobs/…`."""

from __future__ import annotations

from typing import ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.request import Request

from cloudscribe.jobs.api.serializers import JobOutput, JobQuery
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.services import job_cancel
from cloudscribe.jobs.visibility import visible_to
from cloudscribe.lib.errors import Forbidden
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.viewsets import ServiceViewSet


class JobsViewSet(ServiceViewSet):
    """Jobs: the own ones, or all with the permission."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"list": JobOutput, "retrieve": JobOutput}
    answer_serializer = JobOutput
    queries: ClassVar = {"list": JobQuery}
    scope_map: ClassVar = {"list": "jobs:read", "retrieve": "jobs:read", "cancel": "jobs:write"}

    @property
    def rate_scope(self) -> str:  # type: ignore[override]
        """By what is done."""
        return "writes" if self.action == "cancel" else "reads"

    def get_queryset(self) -> QuerySet[Job]:
        """What the actor sees."""
        permissions = ("jobs.view_all_jobs", "jobs.manage_jobs")
        everybodys = any(self.request.user.has_perm(permission) for permission in permissions)
        return visible_to(self.actor, everybodys=everybodys)

    def list(self, request: Request) -> HttpResponseBase:
        """Jobs, newest first."""
        return self.paged(self.get_queryset().filter(**self.query()))

    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name for it)
        """One job: how far it is and, when it has ended, its result or why it failed."""
        return self.respond(self.shown(self.get_object_or_404(self.get_queryset())))

    def cancel(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name for it)
        """Cancel a job: at once while it waits, at its next step while it runs (its state tells when)."""
        job = self.get_object_or_404(self.get_queryset())
        if job.actor_uid != self.actor.uid and not request.user.has_perm("jobs.manage_jobs"):
            raise Forbidden("Others' jobs need the permission jobs.manage_jobs.")
        return self.respond(self.shown(job_cancel(actor=self.actor, job=job)))
