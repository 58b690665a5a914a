"""`documents/{id}/access/`: who has a right on a document, and why."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.selectors import user_active
from cloudscribe.lib.cursors import decode_cursor, encode_cursor
from cloudscribe.lib.pagination import binding_of, page_links, page_size_of
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import QuerySerializer
from cloudscribe.lib.viewsets import ServiceViewSet
from documents.api.reaching import DocumentReached
from documents.models import Origin
from documents.policies import Action, require
from documents.roles import ROLES
from documents.selectors.access import EXPLAINED, Access, Explanation, access_explained, access_page

_ROLES = [role.value for role in ROLES]


class SpotAnswer(serializers.Serializer[Any]):
    """A document or workspace; without id and name where it is hidden from the reader."""

    type = serializers.ChoiceField(choices=["document", "workspace"])
    id = serializers.UUIDField(source="uid", allow_null=True)
    name = serializers.CharField(allow_null=True, help_text="The document's title or the workspace's name.")


class ViaAnswer(serializers.Serializer[Any]):
    """The grant that a right comes from."""

    grant = serializers.UUIDField(
        source="uid",
        allow_null=True,
        help_text="The id among the grants of `on`, or its members; null where that is hidden.",
    )
    role = serializers.ChoiceField(choices=_ROLES)
    origin = serializers.ChoiceField(choices=Origin.choices)
    expires_at = serializers.DateTimeField(allow_null=True)
    on = SpotAnswer(help_text="What the grant stands on.")
    team = serializers.UUIDField(allow_null=True, help_text="The team that it was given to, if to one.")
    team_name = serializers.CharField(allow_null=True)


class AccessAnswer(serializers.Serializer[Access]):
    """Somebody with a right on the document, and the strongest grant that it comes from."""

    type = serializers.ChoiceField(choices=["service", "team", "user"])
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=_ROLES)
    via = ViaAnswer()


class BoundaryAnswer(SpotAnswer):
    """Where inheritance ends: what stands above it gives no right here."""

    type = serializers.ChoiceField(choices=["document"], source="on.type")
    id = serializers.UUIDField(source="on.uid", allow_null=True)
    name = serializers.CharField(source="on.name", allow_null=True)
    reason = serializers.ChoiceField(choices=["cut", "draft"], allow_null=True)


class NeededAnswer(serializers.Serializer[Any]):
    """The weakest grant on the document itself that would allow what is denied."""

    role = serializers.ChoiceField(choices=_ROLES)
    document = serializers.UUIDField()


class ExplanationAnswer(serializers.Serializer[Explanation]):
    """Why somebody may or may not do something to the document."""

    user = serializers.UUIDField(source="user.uid")
    name = serializers.CharField(source="user.name")
    action = serializers.ChoiceField(choices=EXPLAINED)
    decision = serializers.ChoiceField(choices=["allowed", "denied"])
    role = serializers.ChoiceField(choices=_ROLES, allow_null=True)
    via = ViaAnswer(allow_null=True)
    boundary = BoundaryAnswer(allow_null=True)
    needed = serializers.SerializerMethodField()

    @extend_schema_field(NeededAnswer(allow_null=True))
    def get_needed(self, found: Explanation) -> dict[str, Any] | None:
        """What would have to be granted."""
        if found.needed is None:
            return None
        return {"role": found.needed.value, "document": self.context["document"]}


class ExplainQuery(QuerySerializer):
    """Whose right, to do what."""

    user = serializers.UUIDField(required=False, help_text="The reader where it is left out.")
    action = serializers.ChoiceField(choices=EXPLAINED, required=False, default=Action.SEE)


class AccessViewSet(DocumentReached, ServiceViewSet):
    """The rights on a document, explained."""

    permission_classes = [Authenticated]
    document_kwarg = "document"
    serializers: ClassVar = {"list": AccessAnswer, "explain": ExplanationAnswer}
    queries: ClassVar = {"explain": ExplainQuery}
    scope_map: ClassVar = dict.fromkeys(("list", "explain"), "documents:read")
    problems: ClassVar = {"list": (404, 410), "explain": (404, 410)}
    tag = "access"

    def list(self, request: Request, document: str) -> HttpResponseBase:
        """Everybody with a right on the document, by name: people, services and teams (managers)."""
        row = self.document_here()
        require(self.actor, Action.GRANT, row)
        size, bound = page_size_of(request), binding_of(request)
        text = request.GET.get("cursor")
        cursor = decode_cursor(text, [str, uuid.UUID], bound=bound) if text else None
        rows, page = access_page(self.actor, row, size=size, cursor=cursor)
        edges = [
            encode_cursor(edge.values, edge.reverse, bound=bound) if edge else None
            for edge in (page.next, page.previous)
        ]
        return Response({**page_links(request, edges[0], edges[1]), "results": self.shown(rows, many=True)})

    def explain(self, request: Request, document: str) -> HttpResponseBase:
        """Whether somebody may do something to the document, and through which grant.

        Of others by managers alone; everybody may ask for themselves. Taking away just the grant that `via`
        names changes the decision or moves `via`; giving just what `needed` names turns a denial.
        """
        row, query = self.document_here(), self.query()
        uid = query.get("user", self.actor.uid)
        if uid != self.actor.uid:
            require(self.actor, Action.GRANT, row)
        user = user_active(uid)
        found = access_explained(self.actor, row, user, Action(query["action"]))
        return self.respond(ExplanationAnswer(found, context={"document": row.uid}).data)
