"""`workspaces/{id}/invitations/` and `auth/invitations/accept/`."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any, ClassVar

from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.serializers import MailedTokenInput
from cloudscribe.lib.actor import actor_of
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import QuerySerializer
from cloudscribe.lib.viewsets import ServiceViewSet
from documents.models import Invitation, InvitationState, Workspace
from documents.policies import Action, require, role_on
from documents.roles import ROLES
from documents.selectors.invitations import invitations_of
from documents.selectors.visible import workspace_visible
from documents.services.invitations import invitation_accept, invitation_resend, invitation_revoke
from documents.services.locking import actor_renewed

_STATES = [state.value for state in InvitationState]


class InvitationAnswer(serializers.Serializer[Any]):
    """An invitation. It says nothing of whether the address has an account."""

    id = serializers.UUIDField(source="uid")
    workspace = serializers.UUIDField(source="workspace.uid")
    email = serializers.CharField()
    role = serializers.ChoiceField(choices=[role.value for role in ROLES])
    state = serializers.SerializerMethodField()
    membership_expires_at = serializers.DateTimeField(
        source="grant_expires_at", allow_null=True, help_text="When the membership ends; null is never."
    )
    invited_by = serializers.SerializerMethodField()
    sent_count = serializers.IntegerField(help_text="Mails so far, of five.")
    expires_at = serializers.DateTimeField(help_text="When the invitation ends.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.SerializerMethodField()

    def get_state(self, row: Invitation) -> InvitationState:
        """Where it stands at the moment of the request."""
        return row.state_at(actor_of(self.context["request"]).now)

    def get_invited_by(self, row: Invitation) -> uuid.UUID | None:
        """The id of who invited, or mailed it last."""
        return row.invited_by.uid if row.invited_by else None

    def get_updated_at(self, row: Invitation) -> dt.datetime:
        """When something last happened to it."""
        moments = (row.created_at, row.last_sent_at, row.accepted_at, row.revoked_at)
        return max(moment for moment in moments if moment is not None)


class AcceptedAnswer(serializers.Serializer[Any]):
    """Where one is a member now."""

    workspace = serializers.UUIDField()
    role = serializers.ChoiceField(choices=[role.value for role in ROLES])


class InvitationQuery(QuerySerializer):
    """Of one state alone."""

    state = serializers.ChoiceField(choices=_STATES, required=False)


class InvitationViewSet(ServiceViewSet):
    """The invitations to a workspace, for those who may give roles there."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"list": InvitationAnswer, "retrieve": InvitationAnswer}
    answers: ClassVar = {"resend": InvitationAnswer}
    queries: ClassVar = {"list": InvitationQuery}
    statuses: ClassVar = {"resend": 202}
    unlocated: ClassVar = ["resend"]
    scope_map: ClassVar = dict.fromkeys(("list", "retrieve", "destroy", "resend"), "workspaces:manage")
    ordering_choices: ClassVar = ("created_at",)
    default_ordering = "-created_at"
    lookup_url_kwarg = "invitation"
    tag = "members"

    @property
    def rate_scope(self) -> str | None:  # type: ignore[override]
        """Mails have a limit of their own."""
        return "mail" if self.action == "resend" else None

    def list(self, request: Request, workspace: str) -> HttpResponseBase:
        """Who was invited, the newest first."""
        state = self.query().get("state")
        return self.paged(invitations_of(self.room(), InvitationState(state) if state else None))

    def retrieve(self, request: Request, workspace: str, invitation: str) -> HttpResponseBase:
        """One invitation."""
        return self.respond(self.shown(self.invitation(self.room())))

    def destroy(self, request: Request, workspace: str, invitation: str) -> HttpResponseBase:
        """Take an invitation back: its token opens nothing from now on."""
        room = self.room()
        invitation_revoke(actor=self.actor, workspace=room, invitation=self.invitation(room))
        return self.respond()

    def resend(self, request: Request, workspace: str, invitation: str) -> HttpResponseBase:
        """Mail an open invitation once more, in the own name; it holds anew from now on.

        Once a minute (429 `invitation_just_sent`), and five times in all (409 `invitation_mails_spent`).
        """
        room = self.room()
        invitation_resend(actor=self.actor, workspace=room, invitation=self.invitation(room))
        return self.respond(self.shown(self.invitation(room)))

    def room(self) -> Workspace:
        """The workspace of the address; raises NotFound, and Forbidden for who may not give roles there."""
        room = workspace_visible(self.actor, self.kwargs["workspace"])
        require(self.actor, Action.GRANT, room)
        return room

    def invitation(self, room: Workspace) -> Invitation:
        """The invitation of the address; raises NotFound."""
        return self.get_object_or_404(invitations_of(room))


class AcceptanceViewSet(ServiceViewSet):
    """The other side of an invitation."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"accept": MailedTokenInput}
    answers: ClassVar = {"accept": AcceptedAnswer}
    problems: ClassVar = {"accept": (423,)}
    rate_scope = "sign_in"
    no_store = True

    def accept(self, request: Request) -> HttpResponseBase:
        """Become a member by the mailed token.

        The account must have the address that was invited: a forwarded mail lets nobody else in.
        """
        row = invitation_accept(actor=self.actor, token=self.input()["token"])
        role = role_on(actor_renewed(self.actor), row.workspace)
        return self.respond({"workspace": row.workspace.uid, "role": role.value if role else row.role})
