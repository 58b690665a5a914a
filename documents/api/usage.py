"""`workspaces/{id}/usage/`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.viewsets import ServiceViewSet
from documents.policies import Action, require
from documents.selectors.editing import workspace_find
from documents.selectors.usage import workspace_usage


class UsageAnswer(serializers.Serializer[Any]):
    """What a workspace holds, in numbers that count what is hidden from the reader as well."""

    documents = serializers.IntegerField(help_text="Out of the trash; those of the next three among them.")
    drafts = serializers.IntegerField()
    archived = serializers.IntegerField()
    templates = serializers.IntegerField()
    trashed = serializers.IntegerField()
    revisions = serializers.IntegerField(help_text="Of all documents, those in the trash included.")
    body_bytes = serializers.IntegerField(help_text="Of the bodies of now, in UTF-8.")
    attachments = serializers.IntegerField()
    attachment_bytes = serializers.IntegerField()
    attachment_quota = serializers.IntegerField(help_text="How many bytes there may be.")
    people = serializers.IntegerField(help_text="Members who are people or service accounts.")
    teams = serializers.IntegerField(help_text="Members who are teams.")
    links = serializers.IntegerField(help_text="Share links that are alive.")


class UsageViewSet(ServiceViewSet):
    """How much a workspace holds."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"usage": UsageAnswer}
    scope_map: ClassVar = {"usage": "documents:read"}
    tag = "workspaces"

    def usage(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """Documents, revisions, files, members and links of a workspace, for its managers."""
        workspace = workspace_find(self.actor, self.kwargs["id"])
        require(self.actor, Action.READ_USAGE, workspace)
        return self.respond(self.shown(workspace_usage(workspace)))
