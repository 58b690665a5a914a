"""The shapes of second factors and of proofs."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.api.serializers import OtpField, PasswordField
from accounts.models import Session
from cloudscribe.lib.serializers import StrictCharField, StrictSerializer


class StepUpInput(StrictSerializer):
    """A proof of who one is: the password, a code, or both. Who has a second factor shows that."""

    password = PasswordField(required=False)
    otp = OtpField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Something has to be shown."""
        if not attrs:
            raise ValidationError({"password": ["Show the password or a code."]}, code="required")
        return attrs


class StepUpOutput(serializers.ModelSerializer[Session]):
    """When the session's person was last proven, and by what."""

    session = serializers.UUIDField(source="uid", read_only=True)

    class Meta:
        model = Session
        fields = ("session", "authenticated_at", "factors")
        read_only_fields = fields


class FactorsOutput(serializers.Serializer[Any]):
    """The second factors of the signed-in person."""

    enrolled = serializers.BooleanField(help_text="Whether sign-in asks for a second factor.")
    # The name is the framework's own for something else, which a declared field doesn't touch.
    required = serializers.BooleanField(  # type: ignore[assignment]
        help_text="Whether a role of theirs demands one."
    )
    totp = serializers.BooleanField(help_text="Whether there is an authenticator app.")
    passkeys = serializers.IntegerField(help_text="How many there are.")
    recovery_codes = serializers.IntegerField(help_text="How many of them are unused.")


class TotpSetupOutput(serializers.Serializer[Any]):
    """What an authenticator app needs; shown once."""

    secret = serializers.CharField(help_text="In base 32, to be typed.")
    uri = serializers.CharField(help_text="The same as `otpauth://` address.")
    qr = serializers.CharField(help_text="The same as QR code: an SVG image as `data:` address.")


class CodeInput(StrictSerializer):
    """What the authenticator app shows."""

    code = StrictCharField(max_length=20)


class RecoveryCodesOutput(serializers.Serializer[Any]):
    """Codes that stand in for a lost device, each good once; shown once."""

    recovery_codes = serializers.ListField(child=serializers.CharField())
