"""The shapes of what goes into and comes out of the routes of security."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers

from cloudscribe.lib.serializers import (
    QuerySerializer,
    StrictBooleanField,
    StrictCharField,
    StrictDateTimeField,
    StrictIntegerField,
    StrictSerializer,
)
from security.models import IPRule, RateLimitPolicy

_FORCE = "Do it although the network is very wide or your own address is in it."


class IPRuleOutput(serializers.ModelSerializer[IPRule]):
    """A network that is let in or kept out."""

    id = serializers.UUIDField(source="uid")
    created_by = serializers.UUIDField(source="created_by_uid", allow_null=True)

    class Meta:
        model = IPRule
        fields = (
            *("id", "network", "effect", "origin", "reason", "expires_at", "created_by"),
            *("created_at", "updated_at"),
        )


class IPRuleInput(StrictSerializer):
    """A new rule. A network is an address or CIDR; of IPv6 a /64 is what one subscriber has."""

    network = StrictCharField(max_length=60)
    effect = serializers.ChoiceField(choices=IPRule.Effect.values, default=IPRule.Effect.BLOCK.value)
    reason = StrictCharField(max_length=500, allow_blank=True, default="")
    expires_at = StrictDateTimeField(allow_null=True, default=None)
    force = StrictBooleanField(default=False, help_text=_FORCE)

    example: ClassVar[dict[str, Any]] = {
        "network": "203.0.113.0/24",
        "effect": "block",
        "reason": "Scrapes the public pages",
        "expires_at": "2027-01-31T00:00:00Z",
    }


class IPRuleUpdateInput(StrictSerializer):
    """What of a rule may change."""

    reason = StrictCharField(max_length=500, allow_blank=True, required=False)
    expires_at = StrictDateTimeField(allow_null=True, required=False)
    force = StrictBooleanField(default=False, help_text=_FORCE)

    example: ClassVar[dict[str, Any]] = {"expires_at": "2027-01-31T00:00:00Z"}


class IPRuleQuery(QuerySerializer):
    """Which rules are wanted."""

    effect = serializers.ChoiceField(choices=IPRule.Effect.values, required=False)
    origin = serializers.ChoiceField(choices=IPRule.Origin.values, required=False)


class IPRuleRemovalQuery(QuerySerializer):
    """How a rule is taken away."""

    force = serializers.BooleanField(default=False, help_text="Do it although it alone lets you in.")


class RateLimitOutput(serializers.ModelSerializer[RateLimitPolicy]):
    """How many requests of one scope one caller may make in a period."""

    id = serializers.UUIDField(source="uid")

    class Meta:
        model = RateLimitPolicy
        fields = ("id", "scope", "key", "requests", "seconds", "enabled", "created_at", "updated_at")


class RateLimitInput(StrictSerializer):
    """What of a limit may change."""

    requests = StrictIntegerField(min_value=1, max_value=2_147_483_647, required=False)
    seconds = StrictIntegerField(min_value=1, max_value=86_400, required=False)
    enabled = StrictBooleanField(required=False)

    example: ClassVar[dict[str, Any]] = {"requests": 600, "seconds": 60}
