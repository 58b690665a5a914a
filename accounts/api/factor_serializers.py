"""The shapes of second factors and of proofs."""

from __future__ import annotations

from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.api.serializers import NameField, OtpField, PasswordField, UsedOutput
from accounts.models import Passkey, Session
from cloudscribe.lib.renderers import dump_json
from cloudscribe.lib.serializers import StrictCharField, StrictSerializer

_LONGEST_CREDENTIAL = 20_000


class CredentialField(serializers.DictField):
    """A public key credential as browsers put it into JSON (WebAuthn Level 3, section 5.1).

    What it holds is the standard's business: members that we don't know are no fault.
    """

    default_error_messages: ClassVar = {"too_long": "This is longer than any credential."}

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        """The credential; raises ValidationError for what is none by its size or type."""
        found: dict[str, Any] = super().to_internal_value(data)
        if len(dump_json(found)) > _LONGEST_CREDENTIAL:
            self.fail("too_long")
        return found


class StepUpInput(StrictSerializer):
    """A proof of who one is: the password, a code, a passkey's answer, or several of them.

    Who has a second factor shows one.
    """

    password = PasswordField(required=False)
    otp = OtpField(required=False)
    passkey = CredentialField(required=False, write_only=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Something has to be shown."""
        if not attrs:
            raise ValidationError({"password": ["Show the password, a code or a passkey."]}, code="required")
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


class PasskeyOptionsOutput(serializers.Serializer[Any]):
    """What the client's authenticator is asked."""

    public_key = serializers.DictField(
        help_text="Options of WebAuthn as JSON, for `navigator.credentials.create()` or `.get()`."
    )


class PasskeyInput(StrictSerializer):
    """A passkey that the client made."""

    name = NameField()
    credential = CredentialField(write_only=True)


class PasskeyLoginInput(StrictSerializer):
    """A passkey's answer."""

    credential = CredentialField(write_only=True)


class PasskeyOutput(UsedOutput, serializers.ModelSerializer[Passkey]):
    """One passkey."""

    id = serializers.UUIDField(source="uid", read_only=True)

    class Meta:
        model = Passkey
        fields = ("id", "name", "transports", "backed_up", "created_at", "updated_at", "last_used_at")
        read_only_fields = fields


class AddedPasskeyOutput(PasskeyOutput):
    """A new passkey, and recovery codes where it is the first second factor; those are shown once."""

    recovery_codes = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta(PasskeyOutput.Meta):
        fields = (*PasskeyOutput.Meta.fields, "recovery_codes")  # type: ignore[assignment]
        read_only_fields = fields  # type: ignore[assignment]
