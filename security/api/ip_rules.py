"""Who is let in and kept out: `security/ip-rules/…`."""

from __future__ import annotations

import uuid
from typing import ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.request import Request

from cloudscribe.lib.permissions import HasPermission
from cloudscribe.lib.viewsets import ServiceViewSet
from security.api.serializers import (
    IPRuleInput,
    IPRuleOutput,
    IPRuleQuery,
    IPRuleRemovalQuery,
    IPRuleUpdateInput,
)
from security.models import IPRule
from security.services import ip_rule_create, ip_rule_remove, ip_rule_update


class IPRulesViewSet(ServiceViewSet):
    """IP rules. The narrowest that holds an address decides; of two alike, `allow`."""

    permission_classes = [HasPermission("security.view_iprule")]
    action_permissions: ClassVar = {
        "create": [HasPermission("security.add_iprule")],
        "partial_update": [HasPermission("security.change_iprule")],
        "destroy": [HasPermission("security.delete_iprule")],
    }
    scope_map: ClassVar = {
        "list": "security:read",
        "retrieve": "security:read",
        "create": "security:write",
        "partial_update": "security:write",
        "destroy": "security:write",
    }
    serializers: ClassVar = {
        "list": IPRuleOutput,
        "retrieve": IPRuleOutput,
        "create": IPRuleInput,
        "partial_update": IPRuleUpdateInput,
    }
    answer_serializer = IPRuleOutput
    queries: ClassVar = {"list": IPRuleQuery, "destroy": IPRuleRemovalQuery}
    problems: ClassVar = {"create": (409,), "partial_update": (409,), "destroy": (409,)}
    tag = "Security"

    def get_queryset(self) -> QuerySet[IPRule]:
        """All of them: whoever may see one may see all."""
        return IPRule.objects.all()

    def list(self, request: Request) -> HttpResponseBase:
        """The rules, newest first; those that ran out are kept a month."""
        return self.paged(self.get_queryset().filter(**self.query()))

    def retrieve(self, request: Request, id: uuid.UUID) -> HttpResponseBase:  # noqa: A002 (the route's name for it)
        """One rule."""
        return self.respond(self.shown(self.get_object_or_404(self.get_queryset())))

    def create(self, request: Request) -> HttpResponseBase:
        """Let a network in or keep it out; holds on every worker within five seconds.

        What is blocked gets 403 `address_blocked`, valid credentials or not. A very wide block, or one that
        your own address is in, takes `force`.
        """
        row = ip_rule_create(actor=self.actor, **self.input())
        return self.respond(self.shown(row), location=f"/api/v1/security/ip-rules/{row.uid}/")

    def partial_update(self, request: Request, id: uuid.UUID) -> HttpResponseBase:  # noqa: A002 (as above)
        """Change a rule's reason or expiry; another network or effect is another rule."""
        changes = self.input()
        force = changes.pop("force")
        return self.respond(
            self.shown(ip_rule_update(actor=self.actor, rule=id, changes=changes, force=force))
        )

    def destroy(self, request: Request, id: uuid.UUID) -> HttpResponseBase:  # noqa: A002 (as above)
        """Take a rule away."""
        ip_rule_remove(actor=self.actor, rule=id, **self.query())
        return self.respond()
