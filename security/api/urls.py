"""The routes of security under /api/v1/."""

from __future__ import annotations

from django.urls import path

from security.api.ip_rules import IPRulesViewSet
from security.api.rate_limits import RateLimitsViewSet

urlpatterns = [
    path("security/ip-rules/", IPRulesViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "security/ip-rules/<uuid:id>/",
        IPRulesViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path("security/rate-limits/", RateLimitsViewSet.as_view({"get": "list"})),
    path(
        "security/rate-limits/<uuid:id>/",
        RateLimitsViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
    ),
]
