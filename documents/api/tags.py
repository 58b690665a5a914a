"""`workspaces/{id}/tags/`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from cloudscribe.jobs.api.serializers import JobOutput
from cloudscribe.jobs.models import Job
from cloudscribe.lib.cursors import decode_cursor, encode_cursor
from cloudscribe.lib.pagination import binding_of, page_links, page_size_of
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import StrictCharField, StrictSerializer
from cloudscribe.lib.viewsets import ServiceViewSet
from documents import limits
from documents.models import Workspace
from documents.selectors.editing import workspace_find
from documents.selectors.tags import tags_page
from documents.services.workspace_tags import tag_change


class TagAnswer(serializers.Serializer[Any]):
    """A tag, and how many documents a list of it shows."""

    tag = serializers.CharField()
    count = serializers.IntegerField()


class TagInput(StrictSerializer):
    """What the tag is to be called."""

    tag = StrictCharField(max_length=limits.TAG_LENGTH)


class MergeInput(StrictSerializer):
    """The tag that takes its place."""

    into = StrictCharField(max_length=limits.TAG_LENGTH)


class TagViewSet(ServiceViewSet):
    """The tags of a workspace."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"list": TagAnswer, "partial_update": TagInput, "merge": MergeInput}
    answers: ClassVar = dict.fromkeys(("partial_update", "merge", "destroy"), JobOutput)
    statuses: ClassVar = dict.fromkeys(("partial_update", "merge", "destroy"), 202)
    scope_map: ClassVar = {
        "list": "documents:read",
        **dict.fromkeys(("partial_update", "merge", "destroy"), "workspaces:manage"),
    }
    tag = "workspaces"

    def list(self, request: Request, workspace: str) -> HttpResponseBase:
        """The tags in a workspace by name, of what the reader sees, without archived ones and templates."""
        size, bound = page_size_of(request), binding_of(request)
        text = request.GET.get("cursor")
        cursor = decode_cursor(text, [str], bound=bound) if text else None
        page = tags_page(self.actor, self.workspace(), size=size, cursor=cursor)
        edges = [
            encode_cursor(edge.values, edge.reverse, bound=bound) if edge else None
            for edge in (page.next, page.previous)
        ]
        shown = [{"tag": tag, "count": count} for tag, count in page.rows]
        return Response({**page_links(request, edges[0], edges[1]), "results": shown})

    def partial_update(self, request: Request, workspace: str, tag: str) -> HttpResponseBase:
        """Rename a tag in every document that you may edit; a job does it, and counts what it left."""
        return self._asked(tag, self.input()["tag"])

    def merge(self, request: Request, workspace: str, tag: str) -> HttpResponseBase:
        """Put another tag of the workspace in its place, likewise."""
        return self._asked(tag, self.input()["into"], merge=True)

    @extend_schema(responses={202: JobOutput})
    def destroy(self, request: Request, workspace: str, tag: str) -> HttpResponseBase:
        """Take a tag away, likewise."""
        return self._asked(tag, None)

    def workspace(self) -> Workspace:
        """The workspace of the address; raises NotFound."""
        return workspace_find(self.actor, self.kwargs["workspace"])

    def _asked(self, tag: str, into: str | None, *, merge: bool = False) -> HttpResponseBase:
        job: Job = tag_change(actor=self.actor, workspace=self.workspace(), tag=tag, into=into, merge=merge)
        return self.respond(self.shown(job), location=f"/api/v1/jobs/{job.uid}/")
