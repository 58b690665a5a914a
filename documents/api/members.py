"""`workspaces/{id}/members/` and `documents/{id}/grants/`: who may do what, to people and teams."""

from __future__ import annotations

import functools
import uuid
from collections.abc import Callable
from typing import Any, ClassVar

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api.serializers import EmailField
from accounts.selectors import user_active
from accounts.visibility import MANAGE_TEAMS, teams_visible
from cloudscribe.lib.cursors import cut_page, decode_cursor, encode_cursor
from cloudscribe.lib.pagination import binding_of, page_links, page_size_of
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import StrictDateTimeField, StrictSerializer, StrictUUIDField
from cloudscribe.lib.viewsets import ServiceViewSet
from documents.api.editing import expected_of
from documents.api.effects import DryRunQuery, EffectsAnswer, either
from documents.api.invitations import InvitationAnswer
from documents.api.reaching import DocumentReached
from documents.models import Document, Origin, Workspace
from documents.policies import Action, require
from documents.roles import ROLE_OF_CODENAME, ROLES, Role
from documents.selectors.grants import grant_alive, grants_alive
from documents.selectors.visible import workspace_visible
from documents.services.grants import grant_change, grant_remove, grant_set
from documents.services.invitations import invitation_send
from documents.services.members import member_add, member_change, member_remove
from documents.services.rehearsal import grant_rehearse

DOCUMENT_ROLES = [role.value for role in ROLES if role is not Role.OWNER]
_WORKSPACE_ROLES = [role.value for role in ROLES]


class MemberAnswer(serializers.Serializer[Any]):
    """A grant: to whom, which role, why and until when."""

    id = serializers.UUIDField(source="uid")
    user = serializers.SerializerMethodField()
    team = serializers.SerializerMethodField()
    name = serializers.SerializerMethodField()
    role = serializers.SerializerMethodField()
    origin = serializers.ChoiceField(choices=Origin.choices)
    expires_at = serializers.DateTimeField(allow_null=True)
    granted_by = serializers.SerializerMethodField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()

    def get_user(self, grant: Any) -> uuid.UUID | None:
        """The person's id."""
        return grant.user.uid if hasattr(grant, "user_id") else None

    def get_team(self, grant: Any) -> uuid.UUID | None:
        """The team's id."""
        return grant.group.team.uid if hasattr(grant, "group_id") else None

    def get_name(self, grant: Any) -> str:
        """What the person or team is called."""
        return str(grant.user.name if hasattr(grant, "user_id") else grant.group.team.name)

    def get_role(self, grant: Any) -> str:
        """The role."""
        return ROLE_OF_CODENAME[grant.permission.codename].value

    def get_granted_by(self, grant: Any) -> uuid.UUID | None:
        """The id of who gave it."""
        return grant.granted_by.uid if grant.granted_by else None


class GrantInput(StrictSerializer):
    """A person or a team, and a role that documents know."""

    subjects: ClassVar[tuple[str, ...]] = ("user", "team")

    user = StrictUUIDField(required=False)
    team = StrictUUIDField(required=False)
    role = serializers.ChoiceField(choices=DOCUMENT_ROLES)
    expires_at = StrictDateTimeField(required=False, allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One subject."""
        if sum(name in attrs for name in self.subjects) != 1:
            named = " or ".join(f"`{name}`" for name in self.subjects)
            raise serializers.ValidationError({"user": [f"Either {named} is due."]}, code="one_of")
        return attrs


class MemberInput(GrantInput):
    """A person, a team or the address of somebody to invite, and a role."""

    subjects: ClassVar[tuple[str, ...]] = ("user", "team", "email")

    email = EmailField(required=False)
    role = serializers.ChoiceField(choices=_WORKSPACE_ROLES)


class MemberUpdateInput(StrictSerializer):
    """What changes of a membership."""

    role = serializers.ChoiceField(required=False, choices=_WORKSPACE_ROLES)
    expires_at = StrictDateTimeField(required=False, allow_null=True)


class GrantUpdateInput(MemberUpdateInput):
    """What changes of a grant."""

    role = serializers.ChoiceField(required=False, choices=DOCUMENT_ROLES)


class SubjectsNamed(ServiceViewSet):
    """For views whose bodies name a person or a team."""

    def subject(self, given: dict[str, Any]) -> dict[str, Any]:
        """The person or team that a body names; raises NotFound for one that isn't there."""
        if "user" in given:
            return {"user": user_active(given.pop("user"))}
        every = self.request.user.has_perm(MANAGE_TEAMS)
        teams = teams_visible(self.actor, every=every)
        return {"team": self.get_object_or_404(teams, uid=given.pop("team"))}


class GrantsOfObject(SubjectsNamed):
    """The grants on one object, of people and of teams in one list, the oldest first."""

    permission_classes = [Authenticated]
    answers: ClassVar = {"create": MemberAnswer, "partial_update": MemberAnswer}
    problems: ClassVar = {"create": (409,), "partial_update": (409,), "destroy": (409,)}
    lookup_url_kwarg = "grant"

    def page_of(self, obj: Any) -> HttpResponseBase:
        """A page over both tables: their ids rise with time, so they merge by them."""
        request = self.request
        size, bound = page_size_of(request), binding_of(request)
        text = request.GET.get("cursor")
        cursor = decode_cursor(text, [uuid.UUID], bound=bound) if text else None
        backwards = cursor is not None and cursor.reverse
        rows: list[Any] = []
        for table in grants_alive(obj, self.actor.now):
            if cursor is not None:
                table = table.filter(**{"uid__lt" if backwards else "uid__gt": cursor.values[0]})  # noqa: PLW2901
            rows += table.order_by("-uid" if backwards else "uid")[: size + 1]
        rows.sort(key=lambda grant: grant.uid, reverse=backwards)
        page = cut_page(rows[: size + 1], size, cursor, lambda grant: (grant.uid,))
        edges = [
            encode_cursor(edge.values, edge.reverse, bound=bound) if edge else None
            for edge in (page.next, page.previous)
        ]
        shown = self.shown(page.rows, many=True)
        return Response({**page_links(request, edges[0], edges[1]), "results": shown})


class MemberViewSet(GrantsOfObject):
    """The members of a workspace."""

    serializers: ClassVar = {
        "list": MemberAnswer,
        "retrieve": MemberAnswer,
        "create": MemberInput,
        "partial_update": MemberUpdateInput,
    }
    scope_map: ClassVar = {
        "list": "documents:read",
        "retrieve": "documents:read",
        "create": "workspaces:manage",
        "partial_update": "workspaces:manage",
        "destroy": "workspaces:manage",
    }
    tag = "members"
    mailing = False

    @property
    def rate_scope(self) -> str | None:  # type: ignore[override]
        """Mails have a limit of their own, beside that of writes."""
        return "mail" if self.mailing else None

    def list(self, request: Request, workspace: str) -> HttpResponseBase:
        """The people and teams of a workspace."""
        return self.page_of(self.workspace())

    def retrieve(self, request: Request, workspace: str, grant: str) -> HttpResponseBase:
        """One member."""
        return self.respond(self.shown(grant_alive(self.workspace(), grant, self.actor.now)))

    @extend_schema(responses={201: MemberAnswer, 202: InvitationAnswer})
    def create(self, request: Request, workspace: str) -> HttpResponseBase:
        """Add a person or a team, or invite an address, up to the own role.

        An address is answered by 202 and an invitation, whether it belongs to somebody or not.
        """
        room, given = self.workspace(), self.input()
        given["role"] = Role(given["role"])
        if "email" in given:
            self.mailing = True
            self.check_throttles(request)
            invitation = invitation_send(actor=self.actor, workspace=room, **given)
            shown = InvitationAnswer(invitation, context=self.get_serializer_context()).data
            return self.respond(shown, status=202)
        subject = self.subject(given)
        member = member_add(actor=self.actor, workspace=room, **subject, **given)
        location = f"/api/v1/workspaces/{room.uid}/members/{member.uid}/"
        return self.respond(self.shown(grant_alive(room, member.uid, self.actor.now)), location=location)

    def partial_update(self, request: Request, workspace: str, grant: str) -> HttpResponseBase:
        """Change a member's role or end."""
        room, changes = self.workspace(), _changes(self.input())
        member = grant_alive(room, grant, self.actor.now)
        member_change(actor=self.actor, workspace=room, member=member, changes=changes)
        return self.respond(self.shown(grant_alive(room, grant, self.actor.now)))

    def destroy(self, request: Request, workspace: str, grant: str) -> HttpResponseBase:
        """Remove a member, or leave by oneself."""
        room = self.workspace()
        member_remove(actor=self.actor, workspace=room, member=grant_alive(room, grant, self.actor.now))
        return self.respond()

    def workspace(self) -> Workspace:
        """The workspace of the address; raises NotFound."""
        return workspace_visible(self.actor, self.kwargs["workspace"])


class GrantViewSet(DocumentReached, GrantsOfObject):
    """The grants on a document itself; what it inherits stands on those above it."""

    document_kwarg = "document"
    serializers: ClassVar = {
        "list": MemberAnswer,
        "retrieve": MemberAnswer,
        "create": GrantInput,
        "partial_update": GrantUpdateInput,
    }
    scope_map: ClassVar = {
        "list": "documents:read",
        "retrieve": "documents:read",
        "create": "workspaces:manage",
        "partial_update": "workspaces:manage",
        "destroy": "workspaces:manage",
    }
    if_match: ClassVar = {"create": "optional"}
    problems: ClassVar = {
        **dict.fromkeys(("list", "retrieve"), (410,)),
        "create": (409, 410, 412),
        **dict.fromkeys(("partial_update", "destroy"), (409, 410)),
    }
    queries: ClassVar = dict.fromkeys(("create", "partial_update", "destroy"), DryRunQuery)
    tag = "grants"

    def list(self, request: Request, document: str) -> HttpResponseBase:
        """The grants that stand on the document."""
        return self.page_of(self.managed())

    def retrieve(self, request: Request, document: str, grant: str) -> HttpResponseBase:
        """One grant."""
        return self.respond(self.shown(grant_alive(self.managed(), grant, self.actor.now)))

    @extend_schema(responses={201: MemberAnswer, 200: EffectsAnswer})
    def create(self, request: Request, document: str) -> HttpResponseBase:
        """Give a person or a team a role on the document and what inherits from it, up to the own role.

        With `dry_run` the answer tells who would gain by it, and nothing is granted.
        """
        row, given = self.document_here(), self.input()
        require(self.actor, Action.GRANT, row)
        subject = self.subject(given)
        given.update(role=Role(given["role"]), expected=expected_of(request, self.actor, row))
        change = functools.partial(grant_set, actor=self.actor, document=row, **subject, **given)
        if self.query()["dry_run"]:
            return self._rehearsed(row, change)
        grant = change()
        location = f"/api/v1/documents/{row.uid}/grants/{grant.uid}/"
        return self.respond(self.shown(grant_alive(row, grant.uid, self.actor.now)), location=location)

    @extend_schema(responses=either("GrantOrEffects", MemberAnswer))
    def partial_update(self, request: Request, document: str, grant: str) -> HttpResponseBase:
        """Change a grant's role or end; or tell who would gain and lose by it (`dry_run`)."""
        row, changes = self.managed(), _changes(self.input())
        found = grant_alive(row, grant, self.actor.now)
        change = functools.partial(grant_change, actor=self.actor, document=row, grant=found, changes=changes)
        if self.query()["dry_run"]:
            return self._rehearsed(row, change)
        change()
        return self.respond(self.shown(grant_alive(row, grant, self.actor.now)))

    @extend_schema(responses={204: None, 200: EffectsAnswer})
    def destroy(self, request: Request, document: str, grant: str) -> HttpResponseBase:
        """Take a grant away, or give up the own one; or tell who would lose by it (`dry_run`)."""
        row = self.document_here()
        found = self._grant_or_own(row, grant)
        change = functools.partial(grant_remove, actor=self.actor, document=row, grant=found)
        if self.query()["dry_run"]:
            return self._rehearsed(row, change)
        change()
        return self.respond()

    def managed(self) -> Document:
        """The document, if the actor may see who has access to it."""
        document = self.document_here()
        require(self.actor, Action.GRANT, document)
        return document

    def _rehearsed(self, document: Document, change: Callable[[], object]) -> HttpResponseBase:
        effects = grant_rehearse(actor=self.actor, document=document, change=change)
        return self.respond(EffectsAnswer(effects).data, status=200)

    def _grant_or_own(self, document: Document, uid: str) -> Any:
        """Whoever doesn't manage the document meets no grant but the own one."""
        grant = grant_alive(document, uid, self.actor.now)
        if getattr(grant, "user_id", None) != self.actor.pk:
            require(self.actor, Action.GRANT, document)
        return grant


def _changes(given: dict[str, Any]) -> dict[str, Any]:
    if "role" in given:
        given["role"] = Role(given["role"])
    return given
