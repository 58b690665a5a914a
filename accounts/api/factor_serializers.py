"""The shapes of second factors and of proofs."""

from __future__ import annotations

from rest_framework import serializers

from accounts.api.serializers import PasswordField
from accounts.models import Session
from cloudscribe.lib.serializers import StrictSerializer


class StepUpInput(StrictSerializer):
    """A proof of who one is."""

    password = PasswordField()


class StepUpOutput(serializers.ModelSerializer[Session]):
    """When the session's person was last proven, and by what."""

    session = serializers.UUIDField(source="uid", read_only=True)

    class Meta:
        model = Session
        fields = ("session", "authenticated_at", "factors")
        read_only_fields = fields
