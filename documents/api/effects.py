"""The answer to `?dry_run=true` on changes of rights."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import PolymorphicProxySerializer
from rest_framework import serializers

from cloudscribe.lib.serializers import QuerySerializer
from documents.roles import ROLES
from documents.selectors.effects import Effect

_ROLES = [role.value for role in ROLES]


class DryRunQuery(QuerySerializer):
    """Whether to tell who would gain and lose, and to change nothing."""

    dry_run = serializers.BooleanField(required=False, default=False)


class EffectAnswer(serializers.Serializer[Effect]):
    """Whose role on the document would change."""

    type = serializers.ChoiceField(choices=["service", "user"])
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    before = serializers.ChoiceField(choices=_ROLES, allow_null=True)
    after = serializers.ChoiceField(choices=_ROLES, allow_null=True)


class EffectsAnswer(serializers.Serializer[Any]):
    """Who would gain and who would lose, on the document and on all below that inherits from it."""

    gains = EffectAnswer(many=True)
    loses = EffectAnswer(many=True)
    complete = serializers.BooleanField(
        help_text="False where there are more than 500, or some that the reader may not see."
    )


def either(component: str, answer: type[serializers.Serializer[Any]]) -> PolymorphicProxySerializer:
    """For the schema: the action's own answer, or who would gain and lose by it."""
    return PolymorphicProxySerializer(
        component_name=component, serializers=[answer, EffectsAnswer], resource_type_field_name=None
    )
