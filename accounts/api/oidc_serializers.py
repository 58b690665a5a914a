"""The shapes of signing in by an OpenID Connect provider."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.api.serializers import OtpField, UsedOutput
from accounts.models import Identity
from cloudscribe.lib.serializers import StrictCharField, StrictSerializer


class ProviderOutput(serializers.Serializer[Any]):
    """Whether people can sign in by a provider, and what it is called."""

    configured = serializers.BooleanField()
    name = serializers.CharField(help_text="For a button; empty where there is none.")


class DepartureOutput(serializers.Serializer[Any]):
    """Where the browser goes, and what the client keeps until it is back."""

    authorization_url = serializers.CharField(help_text="Where to send the browser.")
    state = serializers.CharField(help_text="Comes back with the browser.")
    binding = serializers.CharField(
        help_text="Keep it out of every address: it proves that who finishes is who began."
    )


class ReturnInput(StrictSerializer):
    """What the browser brought back, and the binding of the start."""

    code = StrictCharField(max_length=2048, write_only=True)
    state = StrictCharField(max_length=200, write_only=True)
    binding = StrictCharField(max_length=100, write_only=True)


class SignInReturnInput(StrictSerializer):
    """The same, or after `mfa_required` its `state` and `binding` with the code of the second factor."""

    code = StrictCharField(max_length=2048, write_only=True, required=False)
    state = StrictCharField(max_length=200, write_only=True)
    binding = StrictCharField(max_length=100, write_only=True)
    otp = OtpField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Either the provider's code or one's own."""
        if ("code" in attrs) == ("otp" in attrs):
            raise ValidationError(
                {"code": ["Send the provider's code or, after mfa_required, otp."]}, code="required"
            )
        return attrs


class IdentityOutput(UsedOutput, serializers.ModelSerializer[Identity]):
    """One's identity at a provider."""

    id = serializers.UUIDField(source="uid", read_only=True)

    class Meta:
        model = Identity
        fields = ("id", "issuer", "subject", "email", "created_at", "updated_at", "last_used_at")
        read_only_fields = fields
