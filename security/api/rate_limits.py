"""How much is too much: `security/rate-limits/…`."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.request import Request

from cloudscribe.lib.permissions import HasPermission
from cloudscribe.lib.viewsets import ServiceViewSet
from security.api.serializers import RateLimitInput, RateLimitOutput
from security.models import RateLimitPolicy
from security.services import rate_limit_update


class RateLimitsViewSet(ServiceViewSet):
    """The rate limits: one row for each scope and kind of caller, all made by the installation."""

    permission_classes = [HasPermission("security.view_ratelimitpolicy")]
    action_permissions: ClassVar = {"partial_update": [HasPermission("security.change_ratelimitpolicy")]}
    scope_map: ClassVar = {
        "list": "security:read",
        "retrieve": "security:read",
        "partial_update": "security:write",
    }
    serializers: ClassVar = {
        "list": RateLimitOutput,
        "retrieve": RateLimitOutput,
        "partial_update": RateLimitInput,
    }
    answer_serializer = RateLimitOutput
    tag = "Security"

    def get_queryset(self) -> QuerySet[RateLimitPolicy]:
        """All of them."""
        return RateLimitPolicy.objects.all()

    def list(self, request: Request) -> HttpResponseBase:
        """The limits."""
        return self.paged(self.get_queryset())

    def retrieve(self, request: Request, id: uuid.UUID) -> HttpResponseBase:  # noqa: A002 (the route's name for it)
        """One limit."""
        return self.respond(self.shown(self.get_object_or_404(self.get_queryset())))

    def partial_update(self, request: Request, id: uuid.UUID) -> HttpResponseBase:  # noqa: A002 (as above)
        """Change a limit or switch it off; holds on every worker within seconds."""
        return self.respond(self.shown(rate_limit_update(actor=self.actor, policy=id, changes=self.input())))
