"""The routes of the trail under /api/v1/."""

from __future__ import annotations

from django.urls import path

from audit.api.events import EventExportViewSet, EventsViewSet
from audit.api.log import LogViewSet

urlpatterns = [
    path("audit/events/", EventsViewSet.as_view({"get": "list"})),
    path("audit/events/<int:sequence>/", EventsViewSet.as_view({"get": "retrieve"})),
    path("audit/events/export/", EventExportViewSet.as_view({"post": "create"})),
    path("audit/events/<int:sequence>/proof/", LogViewSet.as_view({"get": "proof"})),
    path("audit/seals/", LogViewSet.as_view({"get": "list"})),
    path("audit/checkpoint/", LogViewSet.as_view({"get": "checkpoint"})),
    path("audit/consistency/", LogViewSet.as_view({"get": "consistency"})),
    path("audit/keys/", LogViewSet.as_view({"get": "keys"})),
]
