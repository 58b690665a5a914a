"""Registering, signing in and out, passwords: `auth/…`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from django.conf import settings
from django.http import HttpResponseBase
from rest_framework.request import Request

from accounts.api.serializers import (
    CredentialsOutput,
    EmailChangeInput,
    LoginInput,
    MailedTokenInput,
    PasswordChangeInput,
    PasswordForgotInput,
    PasswordResetInput,
    RefreshInput,
    RegisterInput,
)
from accounts.devices import device_of
from accounts.permissions import SteppedUp
from accounts.services import (
    Credentials,
    email_change_confirm,
    email_change_request,
    password_change,
    password_reset,
    password_reset_request,
    registration_confirm,
    registration_request,
    session_refresh,
    session_revoke,
    sign_in,
)
from cloudscribe.lib.errors import NotAuthenticated
from cloudscribe.lib.permissions import Authenticated, Public
from cloudscribe.lib.viewsets import ServiceViewSet


def address_of(request: Request) -> str:
    """The client's vetted address, empty behind a Unix socket without a proxy."""
    return str(request.META.get("REMOTE_ADDR", ""))


def credentials_shown(found: Credentials, context: Mapping[str, Any]) -> Mapping[str, Any]:
    """The answer of every sign-in."""
    answer = {
        "access": found.access,
        "refresh": found.refresh,
        "access_expires_in": int(settings.ACCESS_TOKEN_LIFETIME),
        "session": found.session,
        "user": found.user,
    }
    return CredentialsOutput(answer, context={**context, "current_session": found.session.uid}).data


class OpenViewSet(ServiceViewSet):
    """Routes for those who aren't signed in: an access token that is out of date doesn't get in the way."""

    authentication_classes = ()
    permission_classes = [Public]
    no_store = True


class RegistrationViewSet(OpenViewSet):
    """Joining."""

    serializers: ClassVar = {"register": RegisterInput, "verify_email": MailedTokenInput}
    statuses: ClassVar = {"register": 202}

    @property
    def rate_scope(self) -> str:  # type: ignore[override]
        """Registrations have a limit of their own; a token is guarded like a password."""
        return "registration" if self.action == "register" else "sign_in"

    def register(self, request: Request) -> HttpResponseBase:
        """Ask for an account.

        The answer is the same for an address that has one. A mail brings the token for `auth/verify-email/`.
        """
        registration_request(**self.input())
        return self.respond()

    def verify_email(self, request: Request) -> HttpResponseBase:
        """Prove the address by the mailed token; the account exists from now on."""
        registration_confirm(token=self.input()["token"])
        return self.respond({})


class SignInViewSet(OpenViewSet):
    """Signing in and staying so."""

    serializers: ClassVar = {"login": LoginInput, "refresh": RefreshInput}
    answer_serializer = CredentialsOutput
    rate_scope = "sign_in"

    def login(self, request: Request) -> HttpResponseBase:
        """Sign in with address and password.

        Who has a second factor also sends `otp`, the code of the app or a recovery code: 401 `mfa_required`
        asks for it once the password was right.
        """
        found = sign_in(**self.input(), address=address_of(request), device=device_of(request))
        return self.respond(credentials_shown(found, self.get_serializer_context()))

    def refresh(self, request: Request) -> HttpResponseBase:
        """Get a new pair of tokens for the refresh token.

        The old one gives the same refresh token again for a minute, as long as that one is unused. After that
        its use ends the session: somebody has copied it.
        """
        found = session_refresh(**self.input())
        return self.respond(credentials_shown(found, self.get_serializer_context()))


class ForgottenPasswordViewSet(OpenViewSet):
    """Getting a new password by mail."""

    serializers: ClassVar = {"forgot": PasswordForgotInput, "reset": PasswordResetInput}
    statuses: ClassVar = {"forgot": 202}

    @property
    def rate_scope(self) -> str:  # type: ignore[override]
        """Mails have a limit of their own."""
        return "mail" if self.action == "forgot" else "sign_in"

    def forgot(self, request: Request) -> HttpResponseBase:
        """Ask for a mail with a token; the answer is the same where there is no such account."""
        password_reset_request(**self.input())
        return self.respond()

    def reset(self, request: Request) -> HttpResponseBase:
        """Set a new password by the mailed token; all sessions end."""
        password_reset(**self.input())
        return self.respond({})


class OwnPasswordViewSet(ServiceViewSet):
    """What a signed-in person does about their own sign-in."""

    before_enrollment: ClassVar = ["logout"]
    permission_classes = [Authenticated]
    serializers: ClassVar = {"change": PasswordChangeInput}
    statuses: ClassVar = {"logout": 204}
    rate_scope = "writes"
    no_store = True

    def change(self, request: Request) -> HttpResponseBase:
        """Set a new password; all other sessions end."""
        values: dict[str, Any] = self.input()
        password_change(
            actor=self.actor,
            current=values["current_password"],
            password=values["password"],
            address=address_of(request),
        )
        return self.respond({})

    def logout(self, request: Request) -> HttpResponseBase:
        """End the session at hand; its tokens fail from now on."""
        if self.actor.credential_uid is None:
            raise NotAuthenticated
        session_revoke(actor=self.actor, session=self.actor.credential_uid, reason="signed_out")
        return self.respond()


class EmailChangeViewSet(ServiceViewSet):
    """Another address for the account of who is signed in."""

    permission_classes = [SteppedUp]
    serializers: ClassVar = {"change": EmailChangeInput}
    statuses: ClassVar = {"change": 202}
    unlocated: ClassVar = ["change"]
    rate_scope = "mail"
    no_store = True

    def change(self, request: Request) -> HttpResponseBase:
        """Ask for another address.

        A mail there brings the token for `auth/email/confirm/`; the answer is the same for an address that
        belongs to somebody else.
        """
        email_change_request(actor=self.actor, email=self.input()["email"])
        return self.respond()


class EmailConfirmViewSet(OpenViewSet):
    """The other half, for whoever has the mail before them, signed in or not."""

    serializers: ClassVar = {"confirm": MailedTokenInput}
    rate_scope = "sign_in"

    def confirm(self, request: Request) -> HttpResponseBase:
        """Prove the new address by the mailed token; it is the account's from now on.

        The old address is told by mail. Sessions stay.
        """
        email_change_confirm(token=self.input()["token"])
        return self.respond({})
