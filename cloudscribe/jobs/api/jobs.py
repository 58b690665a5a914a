"""Background work as its owner follows it: `jobs/…`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.core.files.storage import default_storage
from django.db.models import QuerySet
from django.http import FileResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from cloudscribe.jobs.api.serializers import JobOutput, JobQuery
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.ports import StoredActor
from cloudscribe.jobs.selectors import job_file
from cloudscribe.jobs.services import job_cancel, job_file_told
from cloudscribe.jobs.visibility import visible_to
from cloudscribe.lib.actor import CredentialKind
from cloudscribe.lib.errors import Forbidden, NotFound
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.renderers import dump_json
from cloudscribe.lib.viewsets import ServiceViewSet


class Archive(BaseRenderer):
    """Lets a client that accepts archives alone through to them."""

    media_type = "application/zip"
    format = "zip"

    def render(self, data: Any, *_: Any) -> bytes:
        """Only refusals come this way, which are JSON."""
        return dump_json(data)


_FILE_TYPES = (Archive.media_type, "application/octet-stream")


class JobsViewSet(ServiceViewSet):
    """Jobs: the own ones, or all with the permission."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"list": JobOutput, "retrieve": JobOutput}
    answer_serializer = JobOutput
    queries: ClassVar = {"list": JobQuery}
    scope_map: ClassVar = {
        **dict.fromkeys(("list", "retrieve", "file"), "jobs:read"),
        "cancel": "jobs:write",
    }
    no_store = ("file",)
    problems: ClassVar = {"file": (404, 410)}

    @property
    def rate_scope(self) -> str:  # type: ignore[override]
        """By what is done."""
        return "writes" if self.action == "cancel" else "reads"

    def get_renderers(self) -> list[BaseRenderer]:
        """JSON, and where there is a file archives, too."""
        return [*super().get_renderers(), *([Archive()] if self.action == "file" else [])]

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

    # Generators of clients know bytes by the second name alone.
    @extend_schema(responses={(200, kind): OpenApiTypes.BINARY for kind in _FILE_TYPES})
    def file(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name for it)
        """The file that a job made: for whoever asked for it and, unless personal, who may see all jobs.

        A token gets the files of the jobs that it asked for itself: another's may hold more than it may see.
        """
        job = self.get_object_or_404(self.get_queryset())
        row = job_file(job)
        if row.personal and job.actor_uid != self.actor.uid:
            raise NotFound
        is_token = self.actor.credential_kind is CredentialKind.TOKEN
        if is_token and StoredActor.from_json(job.actor).credential_uid != self.actor.credential_uid:
            raise Forbidden("A token gets the files of jobs that it asked for itself.")
        try:
            content = default_storage.open(row.path)
        except FileNotFoundError:
            raise NotFound from None
        if job.actor_uid != self.actor.uid:
            job_file_told(actor=self.actor, job=job)
        answer = FileResponse(content, as_attachment=True, filename=row.name, content_type=row.media_type)
        answer.headers["Content-Length"] = str(row.size)
        return answer
