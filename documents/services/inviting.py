"""Invitations as rows: the private half of their services."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from django.db.models import QuerySet
from django.db.models.functions import Now

from accounts.actors import service_actor
from accounts.models import User
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from documents.models import Invitation, Workspace, WorkspaceUserPermission
from documents.policies import outranks, role_on
from documents.roles import RANK, Role
from documents.services.granting import (
    grant_insert,
    grant_make_room,
    origin_for,
    permission_of,
    role_of_grant,
)
from documents.services.members import member_event


def invitations_open() -> QuerySet[Invitation]:
    """Those that wait and have not run out, by the database's clock."""
    rows = Invitation.objects.filter(accepted_at__isnull=True, revoked_at__isnull=True, expires_at__gt=Now())
    return rows.exclude(grant_expires_at__lte=Now())


def inviter_may(invitation: Invitation) -> bool:
    """Whether who invited may still give the role: not gone, not kept out, not demoted below it.

    Changes of roles wait while the workspace is locked, so that the answer holds for who has locked it.
    """
    if invitation.invited_by is None:
        return False
    try:
        inviter = service_actor(invitation.invited_by)
    except NotFound:
        return False
    # Straight from the grants: stamps that this transaction reads are nothing to keep a map under.
    own = role_on(dataclasses.replace(inviter, access_key=None), invitation.workspace)
    return outranks(own, Role.MANAGER) and outranks(own, Role(invitation.role))


def membership_give(actor: Actor, invitation: Invitation, user: User) -> None:
    """Make the user a member as invited, with its event; what they have already is never lowered.

    For services that hold the workspace and have renewed the actor.
    """
    room, role, end = invitation.workspace, Role(invitation.role), invitation.grant_expires_at
    grants = WorkspaceUserPermission.objects.filter(user=user, content_object=room)
    live = [row for row in grants.select_related("permission") if not _ended(row, actor.now)]
    if any(_covers(row, role, end) for row in live):
        return
    origin = origin_for(end)
    standing = next((row for row in live if row.origin == origin), None)
    if standing is None:
        grant_make_room(room, origin=origin, now=actor.now, user_pk=user.pk)
        inviter = invitation.invited_by_id
        grant = grant_insert(
            room, role=role, origin=origin, user_pk=user.pk, granted_by=inviter, expires_at=end
        )
        member_event(actor, room, grant, "member.added", role=(None, str(role)), expires_at=(None, end))
    elif RANK[role_of_grant(standing)] <= RANK[role]:
        _raise(actor, room, standing, role, end)


def _ended(grant: Any, now: dt.datetime) -> bool:
    return grant.expires_at is not None and grant.expires_at <= now


def _covers(grant: Any, role: Role, end: dt.datetime | None) -> bool:
    """Whether a grant gives all that is to be given, for as long."""
    lasts = grant.expires_at is None or (end is not None and grant.expires_at >= end)
    return lasts and RANK[role_of_grant(grant)] >= RANK[role]


def _raise(actor: Actor, room: Workspace, grant: Any, role: Role, end: dt.datetime | None) -> None:
    before, old_end = role_of_grant(grant), grant.expires_at
    grant.permission, grant.expires_at, grant.updated_at = permission_of(room, role), end, actor.now
    grant.save(update_fields=["permission", "expires_at", "updated_at"])
    changes = {"role": (str(before), str(role)), "expires_at": (old_end, end)}
    member_event(actor, room, grant, "member.changed", **changes)
