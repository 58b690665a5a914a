"""`service-accounts/`: programs with access of their own, and their tokens."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.serializers import NameField
from accounts.api.tokens import MintedOutput, TokenInput, TokenOutput, minted_answer
from accounts.models import Token, User
from accounts.permissions import SteppedUp
from accounts.selectors import MANAGE_SERVICES, services_managed, user_tokens_live
from accounts.services.service_accounts import (
    service_account_create,
    service_account_delete,
    service_token_create,
    service_token_revoke,
)
from accounts.services.tokens import TokenCut
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import StrictCharField, StrictSerializer, StrictUUIDField
from cloudscribe.lib.viewsets import ServiceViewSet

_DESCRIPTION_LENGTH = 2000


class ServiceAccountInput(StrictSerializer):
    """A new service account."""

    name = NameField()
    description = StrictCharField(required=False, allow_blank=True, max_length=_DESCRIPTION_LENGTH)
    workspace = StrictUUIDField(
        required=False, help_text="Whose it is; by its owners. Without one it is the platform's."
    )


class ServiceAccountAnswer(serializers.Serializer[User]):
    """A service account as those see it who answer for it; grants name it by its id, like a person."""

    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    description = serializers.CharField(source="service.description")
    workspace = serializers.UUIDField(source="service.workspace_uid", allow_null=True)
    is_active = serializers.BooleanField(help_text="Whether its tokens work: false while suspended.")
    created_by = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_created_by(self, user: Any) -> uuid.UUID | None:
        """The id of who made it."""
        maker = user.service.created_by
        return maker.uid if maker else None


class _OfServices(ServiceViewSet):
    """Service accounts that the reader answers for. For sessions alone: no token makes another identity."""

    permission_classes = [Authenticated]

    def accounts(self) -> QuerySet[User]:
        """Those of the reader's own workspaces; all of them by permission."""
        return services_managed(self.actor, every=self.request.user.has_perm(MANAGE_SERVICES))


class ServiceAccountsViewSet(_OfServices):
    """Programs of a workspace, which its owners manage, or of the platform."""

    serializers: ClassVar = {
        "list": ServiceAccountAnswer,
        "retrieve": ServiceAccountAnswer,
        "create": ServiceAccountInput,
    }
    answers: ClassVar = {"create": ServiceAccountAnswer}
    problems: ClassVar = {"destroy": (409, 423)}
    ordering_choices = ("created_at", "name")
    default_ordering = "-created_at"
    tag = "service accounts"

    def list(self, request: Request) -> HttpResponseBase:
        """Those of the workspaces that the reader owns; with `accounts.manage_service_accounts` all."""
        return self.paged(self.accounts())

    def create(self, request: Request) -> HttpResponseBase:
        """Make one for a workspace (its owners) or the platform (`accounts.manage_service_accounts`)."""
        made = service_account_create(actor=self.actor, **self.input())
        user = self.get_object_or_404(self.accounts(), uid=made.uid)
        return self.respond(self.shown(user), location=f"/api/v1/service-accounts/{made.uid}/")

    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name for it)
        """One service account."""
        return self.respond(self.shown(self.get_object_or_404(self.accounts())))

    def destroy(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name for it)
        """Take it away with its grants; its tokens end with it."""
        service_account_delete(actor=self.actor, account=self.kwargs["id"])
        return self.respond()


class ServiceTokensViewSet(_OfServices):
    """The tokens of a service account."""

    action_permissions: ClassVar = {"create": [SteppedUp]}
    serializers: ClassVar = {"list": TokenOutput, "retrieve": TokenOutput, "create": TokenInput}
    answers: ClassVar = {"create": MintedOutput}
    default_ordering = "-created_at"
    no_store: ClassVar = ("create",)
    problems: ClassVar = {"create": (409,)}
    tag = "service accounts"

    def get_queryset(self) -> QuerySet[Token]:
        """The account's live tokens; raises NotFound for an account that the reader doesn't answer for."""
        return user_tokens_live(self.get_object_or_404(self.accounts(), uid=self.kwargs["account"]).pk)

    def list(self, request: Request, account: str) -> HttpResponseBase:
        """Its live tokens, newest first."""
        return self.paged(self.get_queryset())

    def create(self, request: Request, account: str) -> HttpResponseBase:
        """Mint a token; its secret is in this answer alone.

        One of a workspace's account never reaches beyond the workspace.
        """
        uid = self.kwargs["account"]
        minted = service_token_create(actor=self.actor, account=uid, cut=TokenCut(**self.input()))
        return minted_answer(self, minted, f"/api/v1/service-accounts/{uid}/tokens/{minted.token.uid}/")

    def retrieve(self, request: Request, account: str, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """One token."""
        return self.respond(self.shown(self.get_object_or_404(self.get_queryset())))

    def destroy(self, request: Request, account: str, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Revoke a token and all that it minted, from the next request on."""
        kwargs = self.kwargs
        service_token_revoke(actor=self.actor, account=kwargs["account"], token=kwargs["id"])
        return self.respond()
