"""`documents/{id}/owner-override/` and `break-glass/`: a closed document, opened on the record."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from accounts.permissions import step_up_check
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import StrictCharField, StrictSerializer
from cloudscribe.lib.viewsets import ServiceViewSet
from documents import limits
from documents.api.answering import document_location
from documents.models import Origin
from documents.roles import Role
from documents.services.emergency import Opened, break_glass, may_break_glass, owner_override


class EmergencyInput(StrictSerializer):
    """Why."""

    reason = StrictCharField(max_length=limits.REASON_LENGTH)


class EmergencyAnswer(serializers.Serializer[Any]):
    """The grant that opens the document."""

    id = serializers.UUIDField()
    document = serializers.UUIDField()
    role = serializers.ChoiceField(choices=[Role.MANAGER.value, Role.VIEWER.value])
    origin = serializers.ChoiceField(choices=[Origin.BREAK_GLASS.value, Origin.OVERRIDE.value])
    reason = serializers.CharField()
    expires_at = serializers.DateTimeField()


class EmergencyViewSet(ServiceViewSet):
    """Exceptions of an hour, told to the document's owner and its managers."""

    permission_classes = [Authenticated]
    serializers: ClassVar = dict.fromkeys(("override", "break_glass"), EmergencyInput)
    answer_serializer = EmergencyAnswer
    statuses: ClassVar = dict.fromkeys(("override", "break_glass"), 201)
    scope_map: ClassVar = {"override": "workspaces:manage"}
    problems: ClassVar = {"override": (404, 409), "break_glass": (404, 409, 410)}
    tag = "access"

    def override(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """Manage a document of one's own workspace for an hour, whatever is cut off there (owners).

        Done again it is renewed, and answered by 200.
        """
        reason = self.input()["reason"]
        opened = owner_override(actor=self.actor, document=uuid.UUID(str(id)), reason=reason)
        return self._answer(opened, Role.MANAGER)

    def break_glass(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Read any document for an hour (permission `documents.break_glass`), after a fresh proof.

        Done again it is renewed, and answered by 200.
        """
        # Before the proof: to who may not do this there is no such place.
        if not may_break_glass(self.actor):
            raise NotFound
        step_up_check(self.actor)
        reason = self.input()["reason"]
        opened = break_glass(actor=self.actor, document=uuid.UUID(str(id)), reason=reason)
        return self._answer(opened, Role.VIEWER)

    def _answer(self, opened: Opened, role: Role) -> HttpResponseBase:
        grant = opened.grant
        shown = {
            "id": grant.uid,
            "document": opened.document.uid,
            "role": role.value,
            "origin": grant.origin,
            "reason": grant.reason,
            "expires_at": grant.expires_at,
        }
        status = 201 if opened.created else 200
        location = document_location(opened.document.uid) if opened.created else None
        return self.respond(EmergencyAnswer(shown).data, status=status, location=location)
