"""The routes of jobs under /api/v1/."""

from __future__ import annotations

from django.urls import path

from cloudscribe.jobs.api.jobs import JobsViewSet

urlpatterns = [
    path("jobs/", JobsViewSet.as_view({"get": "list"})),
    path("jobs/<uuid:id>/", JobsViewSet.as_view({"get": "retrieve"})),
    path("jobs/<uuid:id>/file/", JobsViewSet.as_view({"get": "file"})),
    path("jobs/<uuid:id>/cancel/", JobsViewSet.as_view({"post": "cancel"})),
]
