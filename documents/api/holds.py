"""`documents/{id}/holds/` and `workspaces/{id}/holds/`: what has to be kept for the law."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request

from accounts.permissions import SteppedUp
from cloudscribe.lib.permissions import HasPermission
from cloudscribe.lib.serializers import (
    ActorReferenceSerializer,
    QuerySerializer,
    StrictCharField,
    StrictSerializer,
)
from cloudscribe.lib.viewsets import ServiceViewSet
from documents import limits
from documents.authors import author_reference
from documents.models import Document, Hold, Workspace
from documents.selectors.holds import hold_target, holds_of
from documents.services.holds import PERMISSION, hold_place, hold_release

_SCOPE = "workspaces:manage"


class HoldInput(StrictSerializer):
    """Why."""

    reason = StrictCharField(max_length=limits.REASON_LENGTH)


class HoldAnswer(serializers.Serializer[Hold]):
    """A legal hold, and by name what it stands on; nothing else of that."""

    id = serializers.UUIDField(source="uid")
    workspace = serializers.SerializerMethodField()
    document = serializers.SerializerMethodField()
    name = serializers.SerializerMethodField()
    reason = serializers.CharField()
    placed_by = serializers.SerializerMethodField()
    released_by = serializers.SerializerMethodField()
    released_at = serializers.DateTimeField(allow_null=True, help_text="Null while it stands.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.SerializerMethodField()

    def get_workspace(self, hold: Hold) -> uuid.UUID:
        """The workspace held, or the one that the document stands in."""
        return uuid.UUID(str(_room(hold).uid))

    def get_document(self, hold: Hold) -> uuid.UUID | None:
        """The document held with all below it; null where it is the whole workspace."""
        return hold.document.uid if hold.document else None

    def get_name(self, hold: Hold) -> str:
        """The document's title, or the workspace's name."""
        return hold.document.title if hold.document else _room(hold).name

    @extend_schema_field(ActorReferenceSerializer(allow_null=True))
    def get_placed_by(self, hold: Hold) -> dict[str, Any] | None:
        """Who placed it."""
        return author_reference(hold.placed_by, None)

    @extend_schema_field(ActorReferenceSerializer(allow_null=True))
    def get_released_by(self, hold: Hold) -> dict[str, Any] | None:
        """Who released it."""
        return author_reference(hold.released_by, None)

    def get_updated_at(self, hold: Hold) -> dt.datetime:
        """When something last happened to it."""
        return hold.released_at or hold.created_at


class HoldQuery(QuerySerializer):
    """Those that stand, or those that don't any more."""

    released = serializers.BooleanField(required=False)


class ReleaseQuery(QuerySerializer):
    """A word on why, for the trail."""

    reason = serializers.CharField(required=False, max_length=limits.REASON_LENGTH)


class _HoldViewSet(ServiceViewSet):
    """Legal holds, for holders of the permission, whether they may see what is held or not."""

    kind: ClassVar[str]
    permission_classes = [HasPermission(PERMISSION)]
    action_permissions: ClassVar = {"destroy": [HasPermission(PERMISSION), SteppedUp]}
    serializers: ClassVar = {"list": HoldAnswer, "retrieve": HoldAnswer, "create": HoldInput}
    answers: ClassVar = {"create": HoldAnswer}
    queries: ClassVar = {"list": HoldQuery, "destroy": ReleaseQuery}
    scope_map: ClassVar = dict.fromkeys(("list", "retrieve", "create", "destroy"), _SCOPE)
    problems: ClassVar = {"list": (404,), "create": (404, 409), "destroy": (409,)}
    ordering_choices: ClassVar = ("created_at",)
    default_ordering = "-created_at"
    lookup_url_kwarg = "hold"
    tag = "holds"

    def target(self) -> Document | Workspace:
        """What the address names; raises NotFound."""
        return hold_target(self.kind, uuid.UUID(str(self.kwargs[self.kind])))

    def holds(self) -> QuerySet[Hold]:
        """The holds that concern it."""
        return holds_of(self.target())

    def _list(self) -> HttpResponseBase:
        rows, released = self.holds(), self.query().get("released")
        return self.paged(rows if released is None else rows.filter(released_at__isnull=not released))

    def _create(self) -> HttpResponseBase:
        target = self.target()
        hold = hold_place(actor=self.actor, target=target, reason=self.input()["reason"])
        location = f"/api/v1/{self.kind}s/{target.uid}/holds/{hold.uid}/"
        shown = self.shown(self.get_object_or_404(holds_of(target), uid=hold.uid))
        return self.respond(shown, location=location)

    def _retrieve(self) -> HttpResponseBase:
        return self.respond(self.shown(self.get_object_or_404(self.holds())))

    def _destroy(self) -> HttpResponseBase:
        hold = self.get_object_or_404(self.holds())
        hold_release(actor=self.actor, hold=hold, reason=self.query().get("reason", ""))
        return self.respond()


class DocumentHoldViewSet(_HoldViewSet):
    """The legal holds that concern a document: on it, above it, or on its workspace."""

    kind = "document"

    def list(self, request: Request, document: str) -> HttpResponseBase:
        """The holds on the document, on what stands above it and on its workspace, the newest first."""
        return self._list()

    def create(self, request: Request, document: str) -> HttpResponseBase:
        """Keep a document and all below it from being removed; the actor need not see it."""
        return self._create()

    def retrieve(self, request: Request, document: str, hold: str) -> HttpResponseBase:
        """One hold."""
        return self._retrieve()

    def destroy(self, request: Request, document: str, hold: str) -> HttpResponseBase:
        """Release a hold, after a fresh proof; it stays on the list as released."""
        return self._destroy()


class WorkspaceHoldViewSet(_HoldViewSet):
    """The legal holds on a workspace and on anything in it."""

    kind = "workspace"

    def list(self, request: Request, workspace: str) -> HttpResponseBase:
        """The holds on the workspace and on documents in it, the newest first."""
        return self._list()

    def create(self, request: Request, workspace: str) -> HttpResponseBase:
        """Keep a workspace and all in it from being removed; the actor need not see it."""
        return self._create()

    def retrieve(self, request: Request, workspace: str, hold: str) -> HttpResponseBase:
        """One hold."""
        return self._retrieve()

    def destroy(self, request: Request, workspace: str, hold: str) -> HttpResponseBase:
        """Release a hold, after a fresh proof; it stays on the list as released."""
        return self._destroy()


def _room(hold: Hold) -> Workspace:
    room = hold.document.workspace if hold.document else hold.workspace
    if room is None:
        raise AssertionError("a hold stands on a document or on a workspace")
    return room
