"""People as others may find them."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.models import User
from cloudscribe.lib.actor import Actor
from documents.models import Workspace, WorkspaceGroupPermission, WorkspaceUserPermission
from documents.visibility import visible_to


def people_known(actor: Actor) -> QuerySet[User]:
    """Active people whom the actor shares a workspace with, directly or by a team; the actor among them."""
    rooms = list(visible_to(Workspace.objects.all(), actor).values_list("pk", flat=True))
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=actor.now)
    direct = WorkspaceUserPermission.objects.filter(alive, content_object__in=rooms).values("user")
    teams = WorkspaceGroupPermission.objects.filter(alive, content_object__in=rooms).values("group")
    by_team = User.groups.through.objects.filter(group__in=teams).values("user")
    return User.objects.filter(Q(pk__in=direct) | Q(pk__in=by_team) | Q(pk=actor.pk), is_active=True)
