"""The routes of the trail under /api/v1/."""

from __future__ import annotations

from django.urls import path

from audit.api.events import EventsViewSet

urlpatterns = [
    path("audit/events/", EventsViewSet.as_view({"get": "list"})),
    path("audit/events/<int:sequence>/", EventsViewSet.as_view({"get": "retrieve"})),
]
