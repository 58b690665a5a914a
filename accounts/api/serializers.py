"""The shapes of what goes into and comes out of the routes of accounts."""

from __future__ import annotations

import datetime as dt
from typing import Any

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.models import Session, User
from accounts.roles import roles_of
from accounts.validators import validate_timezone
from cloudscribe.lib.emails import email_checked
from cloudscribe.lib.serializers import (
    StrictCharField,
    StrictRegexField,
    StrictSerializer,
    StrictUUIDField,
)
from cloudscribe.lib.texts import printable

_PASSWORD_LENGTH = 1024


class EmailField(StrictCharField):
    """An e-mail address as its owner gives it, in NFKC."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=254, **options)

    def to_internal_value(self, data: Any) -> str:
        """The address; raises ValidationError `invalid_email`."""
        try:
            return email_checked(super().to_internal_value(data))
        except ValueError as error:
            raise ValidationError("This is no e-mail address.", code="invalid_email") from error


class PasswordField(StrictCharField):
    """A password, untrimmed. The rules on new ones are asked by the service."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=_PASSWORD_LENGTH, trim_whitespace=False, write_only=True, **options)


class OtpField(StrictCharField):
    """A code of an authenticator app or a recovery code, with or without spaces."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=64, write_only=True, **options)


class NameField(StrictCharField):
    """A display name of one line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=200, **options)

    def to_internal_value(self, data: Any) -> str:
        """The name; raises ValidationError where it holds what can't be printed."""
        name = super().to_internal_value(data)
        if printable(name) != name:
            raise ValidationError("A name is one line of printable characters.", code="invalid")
        return name


class RegisterInput(StrictSerializer):
    """A wish to join."""

    email = EmailField()
    password = PasswordField()
    name = NameField()


class MailedTokenInput(StrictSerializer):
    """A token from a mail."""

    token = StrictCharField(max_length=300)


class LoginInput(StrictSerializer):
    """Address and password, and a code where the person has a second factor."""

    email = StrictCharField(max_length=254)
    password = PasswordField()
    otp = OtpField(required=False)


class RefreshInput(StrictSerializer):
    """A refresh token. What else clients take for one, an access token say, is a 401 and no fault of form."""

    refresh = StrictCharField(max_length=4_096)


class EmailChangeInput(StrictSerializer):
    """The new address."""

    email = EmailField()


class PasswordForgotInput(StrictSerializer):
    """Whose password was forgotten."""

    email = EmailField()


class PasswordResetInput(StrictSerializer):
    """The mailed token and the new password."""

    token = StrictCharField(max_length=300)
    password = PasswordField()


class PasswordChangeInput(StrictSerializer):
    """The password of now and the new one."""

    current_password = PasswordField()
    password = PasswordField()


class MeInput(StrictSerializer):
    """What people change about themselves."""

    name = NameField(required=False)
    locale = StrictRegexField(r"\A[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}\Z", max_length=35, required=False)
    timezone = StrictCharField(max_length=64, required=False, validators=[validate_timezone])


class HandOverInput(StrictSerializer):
    """Who takes over what somebody leaves behind."""

    hand_over_to = StrictUUIDField(required=False, help_text="A person's id.")


class MeOutput(serializers.ModelSerializer[User]):
    """The signed-in person."""

    id = serializers.UUIDField(source="uid", read_only=True)
    roles = serializers.SerializerMethodField()
    email_verified = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = (
            "id",
            "email",
            "name",
            "locale",
            "timezone",
            "roles",
            "email_verified",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    def get_roles(self, user: User) -> list[str]:
        """The names of the platform roles."""
        return roles_of(user)

    def get_email_verified(self, user: User) -> bool:
        """Whether the address is proven."""
        return user.email_verified_at is not None


class UsedOutput(serializers.Serializer[Any]):
    """What changes by being used alone: a session, a token, a passkey, an identity."""

    updated_at = serializers.SerializerMethodField(help_text="When it was last used, else made.")

    def get_updated_at(self, row: Any) -> dt.datetime:
        """The last of the moments that the object tells of."""
        used: dt.datetime | None = row.last_used_at
        made: dt.datetime = row.created_at
        return used or made


class SessionOutput(UsedOutput, serializers.ModelSerializer[Session]):
    """One live session of the signed-in person."""

    id = serializers.UUIDField(source="uid", read_only=True)
    current = serializers.SerializerMethodField()

    class Meta:
        model = Session
        fields = (
            "id",
            "kind",
            "device",
            "address",
            "created_at",
            "updated_at",
            "last_used_at",
            "expires_at",
            "current",
        )
        read_only_fields = fields

    def get_current(self, session: Session) -> bool:
        """Whether this is the session of the request."""
        return bool(session.uid == self.context.get("current_session"))


class CredentialsOutput(serializers.Serializer[Any]):
    """What signing in and refreshing give."""

    access = serializers.CharField(help_text="Bearer token of the API, good for `access_expires_in` seconds.")
    refresh = serializers.CharField(help_text="Gives the next pair, once. Keep it secret.")
    access_expires_in = serializers.IntegerField(help_text="Seconds.")
    session = SessionOutput()
    user = MeOutput()
