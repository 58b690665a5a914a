"""OpenID Connect: `auth/oidc/…` to sign in by the provider and to link, `me/identities/`."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework.request import Request

from accounts.actors import person_pk
from accounts.api.auth import OpenViewSet, address_of, credentials_shown
from accounts.api.oidc_serializers import (
    DepartureOutput,
    IdentityOutput,
    ProviderOutput,
    ReturnInput,
    SignInReturnInput,
)
from accounts.api.serializers import CredentialsOutput
from accounts.devices import device_of
from accounts.models import Identity
from accounts.oidc_provider import configured
from accounts.permissions import SteppedUp
from accounts.services.identities import identity_link, identity_link_start, identity_unlink
from accounts.services.oidc import oidc_sign_in, oidc_sign_in_finish, oidc_start
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.viewsets import ServiceViewSet


class OidcSignInViewSet(OpenViewSet):
    """Signing in by the OpenID Connect provider of this installation."""

    serializers: ClassVar = {"retrieve": ProviderOutput, "login": SignInReturnInput}
    answers: ClassVar = {"start": DepartureOutput, "login": CredentialsOutput}
    problems: ClassVar = {"start": [404, 503], "login": [401, 403, 404, 409, 503]}

    @property
    def rate_scope(self) -> str:  # type: ignore[override]
        """As sign-in; whether there is a provider is no secret."""
        return "reads" if self.action == "retrieve" else "sign_in"

    def retrieve(self, request: Request) -> HttpResponseBase:
        """Whether there is a provider to sign in by."""
        there = configured()
        return self.respond({"configured": there, "name": settings.OIDC_NAME if there else ""})

    def start(self, request: Request) -> HttpResponseBase:
        """Begin to sign in.

        Send the browser to `authorization_url`. It comes back with `code` and `state`, within minutes; send
        both with `binding`, which you have kept, to `auth/oidc/callback/`.
        """
        return self.respond(DepartureOutput(oidc_start()).data)

    def login(self, request: Request) -> HttpResponseBase:
        """Sign in as whom the provider stands for.

        New people get an account where registration is open and the provider has verified their address;
        where that has an account already, 409 `link_required`. Who has a second factor gets 401
        `mfa_required` with a new `state` and `binding`: send these with `otp`, without `code`.
        """
        values = self.input()
        sign_in = oidc_sign_in if "code" in values else oidc_sign_in_finish
        found = sign_in(**values, address=address_of(request), device=device_of(request))
        return self.respond(credentials_shown(found, self.get_serializer_context()))


class OidcLinkViewSet(ServiceViewSet):
    """Linking the signed-in person's account with the provider. For sessions alone."""

    permission_classes = [SteppedUp]
    action_permissions: ClassVar = {"create": [Authenticated]}
    serializers: ClassVar = {"create": ReturnInput}
    answers: ClassVar = {"start": DepartureOutput, "create": IdentityOutput}
    problems: ClassVar = {"start": [404, 503], "create": [404, 409, 503]}
    rate_scope = "sign_in"
    no_store = True

    def start(self, request: Request) -> HttpResponseBase:
        """Begin to link your account with the provider; it needs a fresh proof of who you are."""
        return self.respond(DepartureOutput(identity_link_start(actor=self.actor)).data)

    def create(self, request: Request) -> HttpResponseBase:
        """Link whom the provider stands for with your account, in the session that began.

        You are told by mail.
        """
        identity = identity_link(actor=self.actor, **self.input())
        return self.respond(IdentityOutput(identity).data, location=f"/api/v1/me/identities/{identity.uid}/")


class IdentitiesViewSet(ServiceViewSet):
    """Who the signed-in person is at sign-in providers. For sessions alone."""

    permission_classes = [Authenticated]
    action_permissions: ClassVar = {"destroy": [SteppedUp]}
    serializers: ClassVar = {"list": IdentityOutput, "retrieve": IdentityOutput}
    problems: ClassVar = {"destroy": [409]}
    default_ordering = "-pk"

    @property
    def rate_scope(self) -> str:  # type: ignore[override]
        """By what is done."""
        return "writes" if self.action == "destroy" else "reads"

    def get_queryset(self) -> QuerySet[Identity]:
        """The own ones."""
        return Identity.objects.filter(user_id=person_pk(self.actor))

    def list(self, request: Request) -> HttpResponseBase:
        """Your identities, newest first."""
        return self.paged(self.get_queryset())

    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name for it)
        """One of your identities."""
        return self.respond(self.shown(self.get_object_or_404(self.get_queryset())))

    def destroy(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name for it)
        """Unlink an identity; 409 `last_way_in` where you could not sign in any more.

        You are told by mail.
        """
        identity_unlink(actor=self.actor, identity=self.get_object_or_404(self.get_queryset()).uid)
        return self.respond()
