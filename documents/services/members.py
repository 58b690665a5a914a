"""Members of workspaces: grants on the workspace to people and teams."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.db.models import Q

from accounts.models import Team, User
from accounts.notifications import NoticeKind
from accounts.services.notifications import News, notify
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import Forbidden
from cloudscribe.lib.transactions import transactional
from documents.exceptions import LastOwner
from documents.models import (
    DocumentGroupPermission,
    DocumentUserPermission,
    Workspace,
    WorkspaceUserPermission,
)
from documents.notices import MEMBERSHIP_ADDED, MEMBERSHIP_REMOVED, MEMBERSHIP_ROLE_CHANGED
from documents.policies import Action, outranks, require, role_on
from documents.roles import WORKSPACE_CODENAMES, Role
from documents.selectors.visible import workspace_visible
from documents.services.granting import (
    expiry_check,
    grant_fresh,
    grant_give,
    grant_make_room,
    origin_for,
    permission_of,
    requests_close,
    role_of_grant,
    subject_of,
)
from documents.services.locking import Strength, actor_renewed, workspace_lock

Member = Any


@transactional
def member_add(
    *,
    actor: Actor,
    workspace: Workspace,
    role: Role,
    user: User | None = None,
    team: Team | None = None,
    expires_at: dt.datetime | None = None,
) -> Member:
    """Make a person or a team a member, up to the own role. Raises GrantExists, Forbidden, NotFound."""
    actor = room_lock(actor, workspace)
    rank_check(actor, workspace, role)
    grant = grant_give(actor, workspace, role, user=user, team=team, expires_at=expires_at)
    member_event(
        actor, workspace, grant, "member.added", role=(None, str(role)), expires_at=(None, expires_at)
    )
    _tell(actor, workspace, grant, MEMBERSHIP_ADDED, role)
    return grant


@transactional
def member_change(*, actor: Actor, workspace: Workspace, member: Member, changes: dict[str, Any]) -> Member:
    """Change the `role` of a member or when it ends (`expires_at`). Raises LastOwner, Forbidden, NotFound."""
    actor = room_lock(actor, workspace)
    member = grant_fresh(member, workspace)
    before = role_of_grant(member)
    role = changes.get("role", before)
    rank_check(actor, workspace, before)
    rank_check(actor, workspace, role)
    expires_at = changes.get("expires_at", member.expires_at)
    if expires_at != member.expires_at:
        expiry_check(expires_at, actor.now)
    if (role, expires_at) == (before, member.expires_at):
        return member
    old_expiry, member.expires_at = member.expires_at, expires_at
    member.permission = permission_of(workspace, role)
    origin = origin_for(expires_at)
    if origin != member.origin:
        grant_make_room(workspace, origin=origin, now=actor.now, **subject_of(member))
    member.origin, member.updated_at = origin, actor.now
    member.save(update_fields=["permission", "expires_at", "origin", "updated_at"])
    requests_close(actor, workspace, role, **subject_of(member))
    owner_check(workspace, before)
    member_event(
        actor,
        workspace,
        member,
        "member.changed",
        role=(str(before), str(role)),
        expires_at=(old_expiry, expires_at),
    )
    if role is not before:
        _tell(actor, workspace, member, MEMBERSHIP_ROLE_CHANGED, role)
    return member


@transactional
def member_remove(*, actor: Actor, workspace: Workspace, member: Member) -> None:
    """End a membership, and with a person's last one their grants on the workspace's documents.

    Everybody may leave by themselves. Raises LastOwner, Forbidden, NotFound.
    """
    actor = room_lock(actor, workspace)
    member = grant_fresh(member, workspace)
    role = role_of_grant(member)
    if getattr(member, "user_id", None) != actor.pk or actor.pk is None:
        rank_check(actor, workspace, role)
    member_event(actor, workspace, member, "member.removed", role=(str(role), None))
    _tell(actor, workspace, member, MEMBERSHIP_REMOVED, role)
    member.delete()
    owner_check(workspace, role)
    _inner_grants_remove(actor, workspace, member)


def owner_check(workspace: Workspace, touched: Role) -> None:
    """Raise LastOwner where a change of an owner's grant left none; counted under the workspace's lock."""
    if touched is not Role.OWNER:
        return
    owners = WorkspaceUserPermission.objects.filter(
        content_object=workspace,
        permission__codename=WORKSPACE_CODENAMES[Role.OWNER],
        expires_at__isnull=True,
        user__is_active=True,
    )
    if not owners.exists():
        raise LastOwner


def room_lock(actor: Actor, workspace: Workspace) -> Actor:
    """Lock the workspace, whose tree stays as it is; the actor of now, who still sees it. Raises NotFound."""
    workspace_lock(workspace.pk, Strength.REWRITE, tree=False)
    actor = actor_renewed(actor)
    workspace_visible(actor, workspace.pk)
    return actor


def rank_check(actor: Actor, workspace: Workspace, role: Role) -> None:
    """Raise Forbidden for who may not give roles here, or none as high as this."""
    require(actor, Action.GRANT, workspace)
    if not outranks(role_on(actor, workspace), role):
        raise Forbidden(f"Your own role does not reach up to {role}.", extra={"action": Action.GRANT})


def _inner_grants_remove(actor: Actor, workspace: Workspace, member: Member) -> None:
    """What the removed subject was granted on documents inside, unless another membership is alive."""
    is_person = isinstance(member, WorkspaceUserPermission)
    subject = Q(user_id=member.user_id) if is_person else Q(group_id=member.group_id)
    alive = Q(expires_at__isnull=True) | Q(expires_at__gt=actor.now)
    if type(member).objects.filter(subject, alive, content_object=workspace).exists():
        return
    grants = DocumentUserPermission if is_person else DocumentGroupPermission
    grants.objects.filter(subject, content_object__workspace=workspace).delete()


def member_event(
    actor: Actor, workspace: Workspace, member: Member, action: str, **changes: tuple[Any, Any]
) -> None:
    """Write the event of a membership, with what changed of it."""
    is_person = isinstance(member, WorkspaceUserPermission)
    subject = member.user if is_person else member.group.team
    event_record(
        actor=actor,
        action=action,
        target=Target("member", member.uid, str(subject)),
        workspace_uid=workspace.uid,
        changes=changes,
        facts={"root": str(workspace.uid), "subjects": [str(subject.uid)]},
    )


def _tell(actor: Actor, workspace: Workspace, member: Member, kind: NoticeKind, role: Role) -> None:
    """Tell the person, or everybody who is in the team."""
    if isinstance(member, WorkspaceUserPermission):
        people = [member.user_id]
    else:
        in_team = User.groups.through.objects.filter(group_id=member.group_id)
        people = list(in_team.values_list("user_id", flat=True))
    news = News(
        kind,
        target_type="workspace",
        target_uid=workspace.uid,
        workspace_uid=workspace.uid,
        facts={"role": str(role)},
    )
    notify(actor=actor, users=people, news=news)
