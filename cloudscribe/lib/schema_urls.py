"""Routes of the schema and its pages, under /api/."""

from __future__ import annotations

from django.urls import path

from cloudscribe.lib.schema_views import RedocView, SchemaView, SwaggerView, error_codes

urlpatterns = [
    path("schema/", SchemaView.as_view(), name="schema"),
    path("docs/", SwaggerView.as_view(), name="docs"),
    path("docs/redoc/", RedocView.as_view(), name="redoc"),
    path("docs/errors/", error_codes, name="error-codes"),
]
