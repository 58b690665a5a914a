"""Who sees which teams."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, Q, QuerySet

from accounts.models import Team, TeamManager, User
from cloudscribe.lib.actor import Actor

MANAGE_TEAMS = "accounts.manage_teams"


def teams_visible(actor: Actor, *, every: bool = False) -> QuerySet[Team]:
    """The teams that the actor is in; `every` of them for holders of MANAGE_TEAMS.

    A credential that is cut to a workspace or a document reaches no team.
    """
    if actor.limit is not None or actor.pk is None:
        return Team.objects.none()
    if every:
        return Team.objects.all()
    memberships = User.groups.through.objects.filter(group_id=OuterRef("group_id"), user_id=actor.pk)
    managed = TeamManager.objects.filter(team_id=OuterRef("pk"), user_id=actor.pk)
    return Team.objects.filter(Q(Exists(memberships)) | Q(Exists(managed)))
