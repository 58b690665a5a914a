"""`teams/`: groups of people that can be granted access like a person."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any, ClassVar

from django.db.models import Count, Exists, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts.actors import person_pk
from accounts.api.serializers import NameField
from accounts.models import Team, TeamManager, User
from accounts.ports import TeamEffect
from accounts.services.teams import (
    MOST_EFFECTS,
    team_create,
    team_delete,
    team_delete_preview,
    team_member_add,
    team_member_add_preview,
    team_member_change,
    team_member_remove,
    team_member_remove_preview,
    team_update,
)
from accounts.visibility import MANAGE_TEAMS, teams_visible
from cloudscribe.lib.conditional import make_etag
from cloudscribe.lib.permissions import Authenticated, HasPermission
from cloudscribe.lib.renderers import dump_json
from cloudscribe.lib.serializers import (
    QuerySerializer,
    StrictBooleanField,
    StrictCharField,
    StrictSerializer,
    StrictUUIDField,
)
from cloudscribe.lib.viewsets import ServiceViewSet

_DESCRIPTION_LENGTH = 2000


class TeamInput(StrictSerializer):
    """A new team."""

    name = NameField()
    description = StrictCharField(required=False, allow_blank=True, max_length=_DESCRIPTION_LENGTH)


class TeamUpdateInput(TeamInput):
    """What changes of a team."""

    name = NameField(required=False)


class TeamAnswer(serializers.ModelSerializer[Team]):
    """A team as its members see it."""

    id = serializers.UUIDField(source="uid", read_only=True)
    members = serializers.IntegerField(help_text="How many people are in it.", read_only=True)
    manager = serializers.BooleanField(help_text="Whether the reader is one of its managers.", read_only=True)

    class Meta:
        model = Team
        fields = ("id", "name", "description", "members", "manager", "created_at", "updated_at")
        read_only_fields = fields


class TeamMemberInput(StrictSerializer):
    """Who joins, and whether as a manager."""

    user = StrictUUIDField()
    manager = StrictBooleanField(required=False)


class TeamMemberUpdateInput(StrictSerializer):
    """Whether a member is a manager."""

    manager = StrictBooleanField()


class TeamMemberAnswer(serializers.Serializer[User]):
    """A person in a team."""

    id = serializers.UUIDField(source="uid")
    user = serializers.UUIDField(source="uid")
    name = serializers.CharField()
    manager = serializers.BooleanField()


class DryRunQuery(QuerySerializer):
    """Whether to tell what would change and to change nothing."""

    dry_run = serializers.BooleanField(required=False, default=False)


class TeamEffectAnswer(serializers.Serializer[TeamEffect]):
    """A place where a team makes a difference to somebody."""

    user = serializers.UUIDField()
    type = serializers.ChoiceField(choices=["document", "workspace"])
    id = serializers.UUIDField(source="uid")
    name = serializers.CharField(help_text="The document's title or the workspace's name.")
    role = serializers.CharField(help_text="What they have there with the team.")
    otherwise = serializers.CharField(
        allow_null=True,
        help_text="What they have without it; null, too, where the reader may not see who has access.",
    )


class TeamEffectsAnswer(serializers.Serializer[Any]):
    """What people would gain and lose, of what the reader may see; `complete` is false where it is cut."""

    gains = TeamEffectAnswer(many=True)
    loses = TeamEffectAnswer(many=True)
    complete = serializers.BooleanField()


class _OfTeams(ServiceViewSet):
    """Teams as the reader may see them."""

    permission_classes = [Authenticated]
    scope_map: ClassVar = {
        "list": "teams:read",
        "retrieve": "teams:read",
        "create": "teams:write",
        "partial_update": "teams:write",
        "destroy": "teams:write",
    }
    tag = "teams"

    def preview(
        self, *, gains: Sequence[TeamEffect] = (), loses: Sequence[TeamEffect] = ()
    ) -> HttpResponseBase:
        """The answer to a dry run."""
        complete = max(len(gains), len(loses)) < MOST_EFFECTS
        found = {"gains": gains, "loses": loses, "complete": complete}
        return self.respond(TeamEffectsAnswer(found).data, status=200)

    def teams(self) -> QuerySet[Team]:
        """The reader's teams; all of them for holders of `accounts.manage_teams`."""
        return teams_visible(self.actor, every=self.request.user.has_perm(MANAGE_TEAMS))


class TeamsViewSet(_OfTeams):
    """Teams that the reader is in; for holders of `accounts.manage_teams` all of them."""

    action_permissions: ClassVar = {"create": (HasPermission("accounts.add_team"),)}
    serializers: ClassVar = {
        "list": TeamAnswer,
        "retrieve": TeamAnswer,
        "create": TeamInput,
        "partial_update": TeamUpdateInput,
    }
    answer_serializer = TeamAnswer
    queries: ClassVar = {"destroy": DryRunQuery}
    problems: ClassVar = {"destroy": (409, 423)}
    ordering_choices = ("created_at", "name")
    default_ordering = "-created_at"

    def get_queryset(self) -> QuerySet[Team]:
        """What the reader sees, with the number of members and whether the reader manages it."""
        through: Any = User.groups.through.objects.filter(group_id=OuterRef("group_id")).order_by()
        counted = through.values("group_id").annotate(n=Count("pk")).values("n")
        return self.teams().annotate(
            members=Coalesce(Subquery(counted, output_field=IntegerField()), 0),
            manager=Exists(TeamManager.objects.filter(team_id=OuterRef("pk"), user_id=person_pk(self.actor))),
        )

    def list(self, request: Request) -> HttpResponseBase:
        """The teams that the reader is in."""
        return self.paged(self.get_queryset())

    def create(self, request: Request) -> HttpResponseBase:
        """Make a team, and be its first member and manager."""
        team = team_create(actor=self.actor, **self.input())
        return self._answer(team.uid, location=f"/api/v1/teams/{team.uid}/")

    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """One team."""
        return self._answer(self.kwargs["id"])

    def partial_update(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Change the name or the description (managers)."""
        team = team_update(actor=self.actor, team=self.kwargs["id"], changes=self.input())
        return self._answer(team.uid)

    @extend_schema(responses={204: None, 200: TeamEffectsAnswer})
    def destroy(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Remove the team and with it all that it was granted (managers); or tell what members lose."""
        if self.query()["dry_run"]:
            return self.preview(loses=team_delete_preview(actor=self.actor, team=self.kwargs["id"]))
        team_delete(actor=self.actor, team=self.kwargs["id"])
        return self.respond()

    def _answer(self, uid: uuid.UUID, *, location: str | None = None) -> HttpResponseBase:
        shown = self.shown(self.get_object_or_404(self.get_queryset(), uid=uid))
        return self.respond(shown, etag=make_etag(dump_json(shown)), location=location)


class TeamMembersViewSet(_OfTeams):
    """The people in a team."""

    serializers: ClassVar = {
        "list": TeamMemberAnswer,
        "retrieve": TeamMemberAnswer,
        "create": TeamMemberInput,
        "partial_update": TeamMemberUpdateInput,
    }
    answer_serializer = TeamMemberAnswer
    queries: ClassVar = dict.fromkeys(("create", "destroy"), DryRunQuery)
    problems: ClassVar = {
        "list": (404,),
        **dict.fromkeys(("create", "partial_update", "destroy"), (409,)),
    }
    lookup_url_kwarg = "user"
    ordering_choices = ("name",)
    default_ordering = "name"

    def get_queryset(self) -> QuerySet[User]:
        """The members of the team of the address; raises NotFound."""
        team = self.get_object_or_404(self.teams(), uid=self.kwargs["id"])
        managers = TeamManager.objects.filter(team=team, user_id=OuterRef("pk"))
        return User.objects.filter(groups=team.group_id).annotate(manager=Exists(managers))

    def list(self, request: Request, **_: Any) -> HttpResponseBase:
        """Who is in the team."""
        return self.paged(self.get_queryset())

    def retrieve(self, request: Request, user: uuid.UUID, **_: Any) -> HttpResponseBase:
        """One member."""
        shown = self.shown(self.get_object_or_404(self.get_queryset()))
        return self.respond(shown, etag=make_etag(dump_json(shown)))

    @extend_schema(responses={201: TeamMemberAnswer, 200: TeamEffectsAnswer})
    def create(self, request: Request, **_: Any) -> HttpResponseBase:
        """Put somebody whom one shares a workspace with into the team (managers), or tell what they gain."""
        team = self.kwargs["id"]
        if self.query()["dry_run"]:
            user = self.input()["user"]
            return self.preview(gains=team_member_add_preview(actor=self.actor, team=team, user=user))
        person = team_member_add(actor=self.actor, team=team, **self.input())
        location = f"/api/v1/teams/{team}/members/{person.uid}/"
        return self.respond(self._shown(person.uid), location=location)

    def partial_update(self, request: Request, user: uuid.UUID, **_: Any) -> HttpResponseBase:
        """Make a member a manager, or no manager any more (managers)."""
        person = team_member_change(actor=self.actor, team=self.kwargs["id"], user=user, **self.input())
        return self.respond(self._shown(person.uid))

    @extend_schema(responses={204: None, 200: TeamEffectsAnswer})
    def destroy(self, request: Request, user: uuid.UUID, **_: Any) -> HttpResponseBase:
        """Take somebody out of the team (managers) or leave it by oneself; or tell what they would lose."""
        if self.query()["dry_run"]:
            lost = team_member_remove_preview(actor=self.actor, team=self.kwargs["id"], user=user)
            return self.preview(loses=lost)
        team_member_remove(actor=self.actor, team=self.kwargs["id"], user=user)
        return self.respond()

    def _shown(self, uid: uuid.UUID) -> Any:
        return self.shown(self.get_object_or_404(self.get_queryset(), uid=uid))
