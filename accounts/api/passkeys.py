"""Passkeys: `auth/mfa/passkeys/…` of the signed-in person, `auth/passkeys/…` to sign in by one."""

from __future__ import annotations

from typing import ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.request import Request

from accounts.actors import person_pk
from accounts.api.auth import OpenViewSet, address_of, credentials_shown
from accounts.api.factor_serializers import (
    AddedPasskeyOutput,
    PasskeyInput,
    PasskeyLoginInput,
    PasskeyOptionsOutput,
    PasskeyOutput,
)
from accounts.api.serializers import CredentialsOutput
from accounts.devices import device_of
from accounts.models import Passkey
from accounts.permissions import SteppedUp
from accounts.services.passkeys import (
    passkey_add,
    passkey_options,
    passkey_remove,
    passkey_sign_in,
    passkey_sign_in_options,
)
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.viewsets import ServiceViewSet


class PasskeysViewSet(ServiceViewSet):
    """The passkeys of the signed-in person. For sessions alone; changes need a fresh proof."""

    permission_classes = [SteppedUp]
    action_permissions: ClassVar = {"list": [Authenticated], "retrieve": [Authenticated]}
    serializers: ClassVar = {"list": PasskeyOutput, "retrieve": PasskeyOutput, "create": PasskeyInput}
    answers: ClassVar = {"create": AddedPasskeyOutput, "challenge": PasskeyOptionsOutput}
    default_ordering = "-pk"
    no_store: ClassVar = ["create", "challenge"]
    before_enrollment = True

    @property
    def rate_scope(self) -> str:  # type: ignore[override]
        """By what is done."""
        return "reads" if self.action in {"list", "retrieve"} else "writes"

    def get_queryset(self) -> QuerySet[Passkey]:
        """The own ones."""
        return Passkey.objects.filter(user_id=person_pk(self.actor))

    def list(self, request: Request) -> HttpResponseBase:
        """Your passkeys, newest first."""
        return self.paged(self.get_queryset())

    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name for it)
        """One of your passkeys."""
        return self.respond(self.shown(self.get_object_or_404(self.get_queryset())))

    def challenge(self, request: Request) -> HttpResponseBase:
        """Begin to make a passkey: a challenge for this session, good once and for a few minutes."""
        return self.respond({"public_key": passkey_options(actor=self.actor)})

    def create(self, request: Request) -> HttpResponseBase:
        """Add the passkey that the client made.

        From now on sign-in asks for a second factor, and where it is the first one all other sessions end and
        the answer has recovery codes, which are not shown again.
        """
        added = passkey_add(actor=self.actor, **self.input())
        shown = {**PasskeyOutput(added.passkey).data, "recovery_codes": added.recovery_codes}
        return self.respond(shown, location=f"/api/v1/auth/mfa/passkeys/{added.passkey.uid}/")

    def destroy(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name for it)
        """Forget a passkey. You are told by mail."""
        passkey_remove(actor=self.actor, passkey=self.get_object_or_404(self.get_queryset()).uid)
        return self.respond()


class PasskeySignInViewSet(OpenViewSet):
    """Signing in by a passkey alone: the device has the key, and its owner was verified there."""

    serializers: ClassVar = {"login": PasskeyLoginInput}
    answers: ClassVar = {"login": CredentialsOutput, "challenge": PasskeyOptionsOutput}
    rate_scope = "sign_in"

    def challenge(self, request: Request) -> HttpResponseBase:
        """Begin to sign in: a challenge for any passkey of this site, good once and for a few minutes."""
        return self.respond({"public_key": passkey_sign_in_options()})

    def login(self, request: Request) -> HttpResponseBase:
        """Sign in with the answer of a passkey; it counts as two factors."""
        found = passkey_sign_in(**self.input(), address=address_of(request), device=device_of(request))
        return self.respond(credentials_shown(found, self.get_serializer_context()))
