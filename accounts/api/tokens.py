"""`me/tokens/`: personal access tokens."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.serializers import NameField, UsedOutput
from accounts.models import Token
from accounts.permissions import SteppedUp
from accounts.scopes import SCOPES
from accounts.selectors import tokens_live
from accounts.services import Minted, TokenCut, token_create, token_revoke
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import (
    StrictCharField,
    StrictDateTimeField,
    StrictSerializer,
    StrictUUIDField,
)
from cloudscribe.lib.viewsets import ServiceViewSet

_SCOPE_LENGTH, _CIDR_LENGTH = 40, 49
_MOST_CIDRS = 50


class TokenInput(StrictSerializer):
    """How far a new token reaches and how long."""

    name = NameField()
    scopes = serializers.ListField(
        child=StrictCharField(max_length=_SCOPE_LENGTH),
        min_length=1,
        max_length=len(SCOPES),
        help_text="What it may do: " + ", ".join(f"`{scope}`" for scope in SCOPES) + ".",
    )
    expires_at = StrictDateTimeField(help_text="At most a year ahead.")
    workspace = StrictUUIDField(required=False, help_text="Nothing outside of this workspace.")
    document = StrictUUIDField(
        required=False, help_text="Nothing but this document and what stands below it."
    )
    cidrs = serializers.ListField(
        child=StrictCharField(max_length=_CIDR_LENGTH),
        required=False,
        max_length=_MOST_CIDRS,
        help_text="Networks that it works from, such as `192.0.2.0/24`; without any, from everywhere.",
    )


class TokenOutput(UsedOutput, serializers.ModelSerializer[Token]):
    """A live token without its secret."""

    id = serializers.UUIDField(source="uid", read_only=True)
    workspace = serializers.UUIDField(source="workspace_uid", allow_null=True, read_only=True)
    document = serializers.UUIDField(source="document_uid", allow_null=True, read_only=True)
    minted_by = serializers.UUIDField(
        source="minted_by_uid", allow_null=True, read_only=True, help_text="The token that minted it."
    )

    class Meta:
        model = Token
        fields: tuple[str, ...] = (
            "id",
            "name",
            "hint",
            "scopes",
            "workspace",
            "document",
            "cidrs",
            "minted_by",
            "created_at",
            "updated_at",
            "expires_at",
            "last_used_at",
            "last_used_address",
        )
        read_only_fields: tuple[str, ...] = fields


class MintedOutput(TokenOutput):
    """A new token with its secret."""

    token = serializers.SerializerMethodField(help_text="The secret; it is never shown again.")

    class Meta(TokenOutput.Meta):
        fields = (*TokenOutput.Meta.fields, "token")
        read_only_fields = fields

    def get_token(self, token: Token) -> str:
        """The secret, as the service gave it."""
        return str(self.context["secret"])


def minted_answer(view: ServiceViewSet, minted: Minted, location: str) -> HttpResponseBase:
    """The 201 with the secret."""
    context: dict[str, Any] = {**view.get_serializer_context(), "secret": minted.secret}
    return view.respond(MintedOutput(minted.token, context=context).data, location=location)


class TokensViewSet(ServiceViewSet):
    """The own tokens. To a token there are only itself and those that it minted."""

    permission_classes = [Authenticated]
    action_permissions: ClassVar = {"create": [SteppedUp]}
    serializers: ClassVar = {"list": TokenOutput, "retrieve": TokenOutput, "create": TokenInput}
    answers: ClassVar = {"create": MintedOutput}
    scope_map: ClassVar = {
        "list": "tokens:read",
        "retrieve": "tokens:read",
        "create": "tokens:write",
        "destroy": "tokens:write",
    }
    default_ordering = "-created_at"
    no_store: ClassVar = ("create",)
    problems: ClassVar = {"create": (409,)}
    tag = "tokens"

    def get_queryset(self) -> QuerySet[Token]:
        """The live ones."""
        return tokens_live(self.actor)

    def list(self, request: Request) -> HttpResponseBase:
        """The own live tokens, newest first."""
        return self.paged(self.get_queryset())

    def create(self, request: Request) -> HttpResponseBase:
        """Mint a token; its secret is in this answer alone. A token mints only tokens weaker than itself."""
        minted = token_create(actor=self.actor, cut=TokenCut(**self.input()))
        return minted_answer(self, minted, f"/api/v1/me/tokens/{minted.token.uid}/")

    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name for it)
        """One token."""
        return self.respond(self.shown(self.get_object_or_404(self.get_queryset())))

    def destroy(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name for it)
        """Revoke a token and all that it minted, from the next request on."""
        token_revoke(actor=self.actor, token=self.get_object_or_404(self.get_queryset()))
        return self.respond()
