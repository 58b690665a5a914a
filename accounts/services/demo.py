"""The people and teams of a demo world, made in bulk by an operator's command."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence

from django.contrib.auth.hashers import check_password, make_password
from django.contrib.auth.models import Group
from django.db.models.functions import Now

from accounts.models import Team, TeamManager, User
from accounts.roles import PREFIX
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.emails import canonical_email
from cloudscribe.lib.transactions import transactional

_BATCH = 2_000


@transactional
def demo_people_add(*, actor: Actor, people: Mapping[str, str], password: str) -> list[int]:
    """Make verified members of the platform out of addresses and names, where they are missing.

    All of them, those who were there before too, sign in with `password` from now on. Gives their keys in the
    order of `people`.
    """
    known = dict(User.objects.filter(email__in=people).values_list("email", "password"))
    # One hash for all: ten thousand would take minutes, and what opens one opens all the others anyway.
    hashed = make_password(password)
    outdated = [kept for kept in set(known.values()) if not check_password(password, kept)]
    if outdated:
        User.objects.filter(email__in=known, password__in=outdated).update(password=hashed, updated_at=Now())
    made = User.objects.bulk_create(
        [
            User(
                email=email,
                email_key=canonical_email(email),
                name=name,
                password=hashed,
                email_verified_at=Now(),
            )
            for email, name in people.items()
            if email not in known
        ],
        batch_size=_BATCH,
    )
    keys = dict(User.objects.filter(email__in=people).values_list("email", "pk"))
    member = Group.objects.get(name=f"{PREFIX}member")
    _enrol([(keys[user.email], member.pk) for user in made])
    if made or outdated:
        event_record(
            actor=actor,
            action="demo.people_added",
            target=Target("demo", None, "People of the demo world"),
            facts={"added": len(made), "passwords_changed": bool(outdated)},
        )
    return [keys[email] for email in people]


@transactional
def demo_teams_add(
    *, actor: Actor, teams: Mapping[uuid.UUID, str], members: Mapping[uuid.UUID, Sequence[int]]
) -> list[int]:
    """Make teams out of ids and names, where they are missing, and put people into them.

    The first of a team's `members` manages it. Gives the keys of the groups in the order of `teams`.
    """
    known = set(Team.objects.filter(uid__in=teams).values_list("uid", flat=True))
    missing = [uid for uid in teams if uid not in known]
    groups = Group.objects.bulk_create([Group(name=f"team:{uid}") for uid in missing], batch_size=_BATCH)
    made = Team.objects.bulk_create(
        [Team(uid=uid, group=group, name=teams[uid]) for uid, group in zip(missing, groups, strict=True)],
        batch_size=_BATCH,
    )
    TeamManager.objects.bulk_create(
        [TeamManager(team=team, user_id=members[team.uid][0]) for team in made if members[team.uid]],
        batch_size=_BATCH,
    )
    keys = dict(Team.objects.filter(uid__in=teams).values_list("uid", "group_id"))
    _enrol([(person, keys[uid]) for uid, people in members.items() for person in people])
    if made:
        event_record(
            actor=actor,
            action="demo.teams_added",
            target=Target("demo", None, "Teams of the demo world"),
            facts={"added": len(made)},
        )
    return [keys[uid] for uid in teams]


def _enrol(pairs: Sequence[tuple[int, int]]) -> None:
    """Put people into groups, pairs of keys, who aren't in them."""
    through = User.groups.through
    through.objects.bulk_create(
        [through(user_id=user, group_id=group) for user, group in pairs],
        ignore_conflicts=True,
        batch_size=_BATCH,
    )
