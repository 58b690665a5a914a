"""`documents/{id}/history/` and `workspaces/{id}/events/`: what happened, for those whose place it is."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from audit.api.serializers import EventTargetOutput, FieldChangeOutput
from audit.selectors import events_about, events_found
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import QuerySerializer, StrictDateTimeField, StrictUUIDField
from cloudscribe.lib.viewsets import ServiceViewSet
from documents.api.reaching import DocumentReached
from documents.policies import Action, require
from documents.selectors.editing import workspace_find
from documents.selectors.trail import history_shown, room_events_shown


class TrailActorOutput(serializers.Serializer[Any]):
    """Who acted; the name is null where it was erased."""

    kind = serializers.CharField()
    id = serializers.UUIDField(allow_null=True)
    name = serializers.CharField(allow_null=True)


class TrailOutput(serializers.Serializer[Any]):
    """What happened, without addresses and credentials, which are for auditors."""

    sequence = serializers.IntegerField()
    at = serializers.DateTimeField()
    action = serializers.CharField()
    actor = TrailActorOutput(allow_null=True)
    target = EventTargetOutput()
    changes = serializers.DictField(child=FieldChangeOutput())
    reason = serializers.CharField(allow_blank=True)
    count = serializers.IntegerField()


class TrailQuery(QuerySerializer):
    """Which events are wanted."""

    actor = StrictUUIDField(required=False, help_text="Id of who acted.")
    action = serializers.CharField(max_length=64, required=False, help_text="Such as `document.updated`.")
    at__gte = StrictDateTimeField(required=False, help_text="Not before this time.")
    at__lte = StrictDateTimeField(required=False, help_text="Not after this time.")


class HistoryViewSet(DocumentReached, ServiceViewSet):
    """What happened to a document."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"history": TrailOutput}
    scope_map: ClassVar = {"history": "documents:read"}
    problems: ClassVar = {"history": (410,)}
    paged_actions: ClassVar = ("history",)
    tag = "documents"

    def history(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """What happened to a document, newest first, for its readers."""
        rows = self.paginate_queryset(events_about(self.document_here().uid))
        return self.get_paginated_response(history_shown(rows or ()))


class WorkspaceEventsViewSet(ServiceViewSet):
    """What happened in a workspace."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"events": TrailOutput}
    queries: ClassVar = {"events": TrailQuery}
    scope_map: ClassVar = {"events": "documents:read"}
    paged_actions: ClassVar = ("events",)
    tag = "workspaces"

    def events(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """What happened in a workspace, newest first, for its managers; what is hidden goes without names."""
        workspace = workspace_find(self.actor, self.kwargs["id"])
        require(self.actor, Action.READ_EVENTS, workspace)
        rows = self.paginate_queryset(events_found(workspace=workspace.uid, **self.query()))
        return self.get_paginated_response(room_events_shown(self.actor, rows or ()))
