"""`documents/{id}/access-requests/` and `me/access-requests/`: asking for access, and the answers."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from cloudscribe.lib.actor import actor_of
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import StrictCharField, StrictDateTimeField, StrictSerializer
from cloudscribe.lib.viewsets import ServiceViewSet
from documents import limits
from documents.api.reaching import DocumentReached
from documents.models import AccessRequest, AskedState, Decision
from documents.policies import Action, require
from documents.roles import ROLES, Role
from documents.services.access_requests import (
    access_request_approve,
    access_request_decline,
    access_request_make,
)

_ROLES = [role.value for role in ROLES if role is not Role.OWNER]


class AskInput(StrictSerializer):
    """Which role, and a word to those who decide."""

    role = serializers.ChoiceField(choices=_ROLES)
    message = StrictCharField(max_length=limits.REASON_LENGTH, allow_blank=True, required=False)


class ApproveInput(StrictSerializer):
    """Another role than the one that was asked for, and an end."""

    role = serializers.ChoiceField(choices=_ROLES, required=False)
    expires_at = StrictDateTimeField(required=False, allow_null=True)


class _RequestAnswer(serializers.Serializer[AccessRequest]):
    id = serializers.UUIDField(source="uid")
    document = serializers.UUIDField(source="document_uid")
    role = serializers.ChoiceField(choices=_ROLES)
    message = serializers.CharField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.SerializerMethodField(help_text="When it was decided, else wished.")
    expires_at = serializers.DateTimeField()

    def get_updated_at(self, row: AccessRequest) -> dt.datetime:
        """The last of the moments that it tells of."""
        moments = (row.created_at, row.changed_at, row.decided_at)
        return max(moment for moment in moments if moment is not None)


class AskedAnswer(_RequestAnswer):
    """One's own request. It says nothing of whether there is such a document."""

    state = serializers.SerializerMethodField()

    def get_state(self, row: AccessRequest) -> AskedState:
        """Where it stands at the moment of the request."""
        return row.state_shown(actor_of(self.context["request"]).now)

    def get_updated_at(self, row: AccessRequest) -> dt.datetime:
        """Of a request that was declined the asker learns nothing."""
        if row.decision == Decision.DECLINED:
            return row.changed_at or row.created_at
        return super().get_updated_at(row)


class AskerAnswer(serializers.Serializer[Any]):
    """Who asks."""

    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    email = serializers.EmailField()


class RequestAnswer(_RequestAnswer):
    """Somebody's request, for those who may answer it."""

    user = AskerAnswer(source="asker")
    decision = serializers.ChoiceField(choices=[*Decision.values, ""], help_text="Empty while it is open.")


class AccessRequestViewSet(DocumentReached, ServiceViewSet):
    """Requests for access to a document."""

    permission_classes = [Authenticated]
    document_kwarg = "document"
    serializers: ClassVar = {"list": RequestAnswer, "create": AskInput, "approve": ApproveInput}
    answers: ClassVar = {"create": AskedAnswer, "approve": RequestAnswer, "decline": RequestAnswer}
    statuses: ClassVar = {"create": 202}
    unlocated: ClassVar = ["create"]
    scope_map: ClassVar = {
        "list": "documents:read",
        "create": "documents:write",
        "approve": "workspaces:manage",
        "decline": "workspaces:manage",
    }
    problems: ClassVar = {
        "list": (410,),
        **dict.fromkeys(("approve", "decline"), (404, 409, 410)),
    }
    ordering_choices: ClassVar = ("created_at",)
    default_ordering = "created_at"
    tag = "access"

    @property
    def rate_scope(self) -> str | None:  # type: ignore[override]
        """Asking mails those who decide."""
        return "mail" if self.action == "create" else None

    def list(self, request: Request, document: str) -> HttpResponseBase:
        """The open requests, the oldest first (managers)."""
        row = self.document_here()
        require(self.actor, Action.ANSWER_REQUESTS, row)
        rows = AccessRequest.objects.filter(document=row, decided_at=None, expires_at__gt=self.actor.now)
        return self.paged(rows.select_related("asker"))

    def create(self, request: Request, document: str) -> HttpResponseBase:
        """Ask for a role on a document: 202 for every id, whether there is such a document or not."""
        given = self.input()
        made = access_request_make(
            actor=self.actor,
            document=uuid.UUID(str(document)),
            role=Role(given["role"]),
            message=given.get("message", ""),
        )
        return self.respond(self.shown(made))

    def approve(self, request: Request, document: str, access_request: str) -> HttpResponseBase:
        """Grant what was asked for, or another role up to the own one, for good or until an end."""
        row, given = self.document_here(), self.input()
        role = Role(given["role"]) if "role" in given else None
        answered = access_request_approve(
            actor=self.actor,
            document=row,
            request=uuid.UUID(str(access_request)),
            role=role,
            expires_at=given.get("expires_at"),
        )
        return self.respond(self.shown(answered))

    def decline(self, request: Request, document: str, access_request: str) -> HttpResponseBase:
        """Decline it. The asker isn't told: to them it stays open until it ends."""
        row = self.document_here()
        request_uid = uuid.UUID(str(access_request))
        answered = access_request_decline(actor=self.actor, document=row, request=request_uid)
        return self.respond(self.shown(answered))


class OwnAccessRequestViewSet(ServiceViewSet):
    """What one has asked for."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"list": AskedAnswer}
    scope_map: ClassVar = {"list": "documents:read"}
    ordering_choices: ClassVar = ("created_at",)
    default_ordering = "-created_at"
    tag = "access"

    def list(self, request: Request) -> HttpResponseBase:
        """One's own requests, the newest first; a token that is cut to a place finds none."""
        rows = AccessRequest.objects.filter(asker_id=self.actor.pk)
        return self.paged(rows.none() if self.actor.limit else rows)
