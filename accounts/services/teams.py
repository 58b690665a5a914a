"""Teams and who is in them. What a team was granted holds for whoever is in it at the moment."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from accounts.actors import person_held
from accounts.exceptions import LastManager, TeamMemberExists
from accounts.models import Team, TeamManager, User
from accounts.notifications import TEAM_MEMBER_ADDED
from accounts.ports import TeamEffect, team_access, team_effects
from accounts.powers import powers_now
from accounts.services.notifications import News, notify
from accounts.visibility import MANAGE_TEAMS
from audit.diff import model_changes
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import Forbidden, NotFound
from cloudscribe.lib.transactions import transactional

TEAM_FIELDS = ("name", "description")
# As many as a preview lists.
MOST_EFFECTS = 500


@transactional
def team_create(*, actor: Actor, name: str, description: str = "") -> Team:
    """Make a team whose one member and manager is its maker."""
    if actor.limit is not None:
        raise Forbidden("This credential is cut to a place, and teams are in none.")
    uid, pk = uuid7(), person_held(actor).pk
    group = Group.objects.create(name=f"team:{uid}")
    team = Team(uid=uid, group=group, name=name, description=description)
    team.save()
    team.refresh_from_db(fields=["created_at", "updated_at"])
    User.groups.through.objects.create(user_id=pk, group_id=group.pk)
    TeamManager.objects.create(team=team, user_id=pk)
    event_record(
        actor=actor,
        action="team.created",
        target=Target.of("team", team, team.name),
        changes={"name": (None, team.name), "description": (None, team.description)},
    )
    return team


@transactional
def team_update(*, actor: Actor, team: uuid.UUID, changes: Mapping[str, Any]) -> Team:
    """Change a team's name or description (managers); gives the team of after. Raises NotFound, Forbidden."""
    row = _locked(actor, team)
    before = copy.copy(row)
    for field in TEAM_FIELDS:
        setattr(row, field, changes.get(field, getattr(row, field)))
    changed = model_changes(before, row, TEAM_FIELDS)
    if changed:
        row.updated_at = Now()
        row.save(update_fields=[*changed, "updated_at"])
        row.refresh_from_db(fields=["updated_at"])
        target = Target.of("team", row, row.name)
        event_record(actor=actor, action="team.updated", target=target, changes=changed)
    return row


@transactional
def team_delete(*, actor: Actor, team: uuid.UUID) -> None:
    """Remove a team with all that it was granted (managers). Raises NotFound, Forbidden, LastOwner."""
    row = _allowed(actor, Team.objects.select_related("group").filter(uid=team).first())
    # Workspaces and documents are locked before the team: that is the one order.
    team_access.ask.grants_remove(actor, row)
    row = _locked(actor, team)
    members = sorted(str(uid) for uid in _members(row).values_list("uid", flat=True))
    row.delete()
    row.group.delete()
    event_record(
        actor=actor,
        action="team.deleted",
        target=Target("team", team, row.name),
        facts={"subjects": members},
    )


@transactional
def team_member_add(*, actor: Actor, team: uuid.UUID, user: uuid.UUID, manager: bool = False) -> User:
    """Put somebody into a team (managers); gives the person.

    Managers add people whom they share a workspace with, holders of MANAGE_TEAMS anybody who is active.
    Raises NotFound, Forbidden, TeamMemberExists.
    """
    row, person = _joining(actor, team, user)
    person.groups.add(row.group)
    if manager:
        TeamManager.objects.create(team=row, user=person)
    _member_event(actor, row, person, "team_member.added", (None, manager))
    news = News(TEAM_MEMBER_ADDED, target_type="team", target_uid=row.uid, facts={"manager": manager})
    notify(actor=actor, users=[person.pk], news=news)
    return person


@transactional
def team_member_add_preview(*, actor: Actor, team: uuid.UUID, user: uuid.UUID) -> list[TeamEffect]:
    """What somebody would gain in a team, of what the actor may see; raises what `team_member_add` does."""
    row, person = _joining(actor, team, user)
    return team_effects.ask.of(actor, row, [person], MOST_EFFECTS)


@transactional
def team_member_change(*, actor: Actor, team: uuid.UUID, user: uuid.UUID, manager: bool) -> User:
    """Make a member a manager or no manager any more (managers); gives the person.

    Raises NotFound, Forbidden, LastManager.
    """
    row = _locked(actor, team)
    person = _member(row, user)
    was_manager = TeamManager.objects.filter(team=row, user=person).exists()
    if was_manager == manager:
        return person
    if manager:
        TeamManager.objects.create(team=row, user=person)
    else:
        TeamManager.objects.filter(team=row, user=person).delete()
        _manager_check(row)
    _member_event(actor, row, person, "team_member.changed", (was_manager, manager))
    return person


@transactional
def team_member_remove(*, actor: Actor, team: uuid.UUID, user: uuid.UUID) -> None:
    """Take somebody out of a team (managers), or leave it by oneself.

    Raises NotFound, Forbidden, LastManager.
    """
    row = _locked(actor, team, leaving=user == actor.uid)
    person = _member(row, user)
    was_manager = TeamManager.objects.filter(team=row, user=person).delete()[0] > 0
    person.groups.remove(row.group)
    if was_manager:
        _manager_check(row)
    _member_event(actor, row, person, "team_member.removed", (was_manager, None))


@transactional
def team_member_remove_preview(*, actor: Actor, team: uuid.UUID, user: uuid.UUID) -> list[TeamEffect]:
    """What somebody would lose without a team, of what the actor may see; raises as the removal does."""
    row = _locked(actor, team, leaving=user == actor.uid)
    person = _member(row, user)
    if TeamManager.objects.filter(team=row, user=person).exists():
        _manager_check(row, without=person)
    return team_effects.ask.of(actor, row, [person], MOST_EFFECTS)


@transactional
def team_delete_preview(*, actor: Actor, team: uuid.UUID) -> list[TeamEffect]:
    """What the members would lose without a team, of what the actor may see. Raises NotFound, Forbidden."""
    row = _locked(actor, team)
    return team_effects.ask.of(actor, row, _members(row).filter(is_active=True), MOST_EFFECTS)


def _joining(actor: Actor, team: uuid.UUID, user: uuid.UUID) -> tuple[Team, User]:
    """The team, locked, and the person who may be put into it."""
    row = _locked(actor, team)
    # Locked, so that nobody joins whose account is being deleted.
    person = User.objects.select_for_update(no_key=True).filter(uid=user, is_active=True).first()
    if person is None or not (powers_now(actor).hold(MANAGE_TEAMS) or team_access.ask.knows(actor, person)):
        raise NotFound
    if _members(row).filter(pk=person.pk).exists():
        raise TeamMemberExists
    return row, person


def _locked(actor: Actor, team: uuid.UUID, *, leaving: bool = False) -> Team:
    """The team, locked, so that its members change one after the other, if the actor may change it now."""
    teams = Team.objects.select_related("group").select_for_update(no_key=True, of=("self",))
    return _allowed(actor, teams.filter(uid=team).first(), leaving=leaving)


def _allowed(actor: Actor, row: Team | None, *, leaving: bool = False) -> Team:
    """The team for its managers, for who leaves it and for holders of MANAGE_TEAMS.

    Raises Forbidden for its other members, and for everybody else NotFound.
    """
    if row is None or actor.limit is not None:
        raise NotFound
    if actor.pk is not None and TeamManager.objects.filter(team=row, user_id=actor.pk).exists():
        return row
    is_member = actor.pk is not None and _members(row).filter(pk=actor.pk).exists()
    if (is_member and leaving) or powers_now(actor).hold(MANAGE_TEAMS):
        return row
    if is_member:
        raise Forbidden("Only managers of the team may do this.")
    raise NotFound


def _members(team: Team) -> QuerySet[User]:
    return User.objects.filter(groups=team.group_id)


def _member(team: Team, user: uuid.UUID) -> User:
    person = _members(team).filter(uid=user).first()
    if person is None:
        raise NotFound
    return person


def _manager_check(team: Team, *, without: User | None = None) -> None:
    """Raise LastManager where no active manager is left `without` somebody, under the team's lock."""
    left = TeamManager.objects.filter(team=team, user__is_active=True)
    if not left.exclude(user=without).exists():
        raise LastManager


def _member_event(
    actor: Actor, team: Team, person: User, action: str, manager: tuple[bool | None, bool | None]
) -> None:
    event_record(
        actor=actor,
        action=action,
        target=Target("team_member", person.uid, person.name),
        changes={"manager": manager},
        facts={"team": str(team.uid), "subjects": [str(person.uid)]},
    )
