"""What being in a team gives and takes, before anybody joins or leaves it."""

from __future__ import annotations

import dataclasses
import itertools
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator

from django.db.models import Q

from accounts.models import Team, User
from accounts.ports import TeamEffect
from cloudscribe.lib.actor import Actor
from documents.models import (
    Document,
    DocumentGroupPermission,
    DocumentUserPermission,
    Workspace,
    WorkspaceGroupPermission,
    WorkspaceUserPermission,
)
from documents.policies import Action, can
from documents.roles import ROLE_BITS, ROLE_OF_CODENAME, role_of
from documents.visibility import visible_to

# Action bits by target: a document's key or a workspace's negated one.
_Bits = dict[int, int]


@dataclasses.dataclass(frozen=True, slots=True)
class _Place:
    """Where the team was granted something; `shown`: whether the reader may see who else has access."""

    type: str
    row: Workspace | Document
    name: str
    reach: list[int]
    shown: bool


def effects_of_team(actor: Actor, team: Team, people: Collection[User], most: int) -> list[TeamEffect]:
    """Where these people have another role with the team than without it, `most` such places at most.

    Of the places at which something was granted to the team and which the actor may see; what stands below a
    document comes with it. Where a team gives nothing at such a place it gives nothing below either, since
    whatever reaches the place reaches all that the team's grant does.
    """
    by_team = _granted_to(actor, team)
    places = _places(actor, by_team)
    members = list(people)
    others = _without(actor, team, members, {target for place in places for target in place.reach})
    return list(itertools.islice(_effects(places, members, by_team, others), most))


def _effects(
    places: list[_Place], people: list[User], by_team: _Bits, others: dict[int, _Bits]
) -> Iterator[TeamEffect]:
    for place, person in itertools.product(places, people):
        own = others[person.pk] if place.shown else {}
        without = _sum(own, place.reach)
        role, otherwise = role_of(without | _sum(by_team, place.reach)), role_of(without)
        if role is not None and role is not otherwise:
            left = str(otherwise) if otherwise else None
            yield TeamEffect(person.uid, place.type, place.row.uid, place.name, str(role), left)


def _sum(bits: _Bits, reach: list[int]) -> int:
    found = 0
    for target in reach:
        found |= bits.get(target, 0)
    return found


def _alive(actor: Actor) -> Q:
    return Q(expires_at__isnull=True) | Q(expires_at__gt=actor.now)


def _granted_to(actor: Actor, team: Team) -> _Bits:
    rooms = WorkspaceGroupPermission.objects.filter(_alive(actor), group_id=team.group_id)
    documents = DocumentGroupPermission.objects.filter(_alive(actor), group_id=team.group_id)
    columns = ("content_object_id", "permission__codename")
    found: _Bits = defaultdict(int)
    for pk, codename in rooms.values_list(*columns):
        found[-pk] |= ROLE_BITS[ROLE_OF_CODENAME[codename]]
    for pk, codename in documents.values_list(*columns):
        found[pk] |= ROLE_BITS[ROLE_OF_CODENAME[codename]]
    return dict(found)


def _places(actor: Actor, targets: Iterable[int]) -> list[_Place]:
    """The workspaces by name, then the documents by title."""
    keys = list(targets)
    rooms = visible_to(Workspace.objects.filter(pk__in=[-key for key in keys if key < 0]), actor)
    documents = Document.objects.filter(pk__in=[key for key in keys if key > 0], trashed_at__isnull=True)
    return [
        *(_Place("workspace", row, row.name, [-row.pk], shown=True) for row in rooms.order_by("name", "pk")),
        *(
            _Place("document", row, row.title, row.reach, shown=can(actor, Action.GRANT, row))
            for row in visible_to(documents, actor).order_by("title", "pk")
        ),
    ]


def _without(actor: Actor, team: Team, people: list[User], targets: set[int]) -> dict[int, _Bits]:
    """By person what they have on the targets but for this team."""
    alive, pks = _alive(actor), [person.pk for person in people]
    rooms = Q(content_object__in=[-target for target in targets if target < 0])
    documents = Q(content_object__in=[target for target in targets if target > 0])
    own = ("user_id", "content_object_id", "permission__codename")
    shared = ("group__user", *own[1:])
    of_teams = alive & Q(group__user__in=pks) & ~Q(group_id=team.group_id)
    of_people = alive & Q(user__in=pks)
    found: dict[int, _Bits] = {pk: defaultdict(int) for pk in pks}
    for sign, rows in (
        (-1, WorkspaceUserPermission.objects.filter(of_people, rooms).values_list(*own)),
        (1, DocumentUserPermission.objects.filter(of_people, documents).values_list(*own)),
        (-1, WorkspaceGroupPermission.objects.filter(of_teams, rooms).values_list(*shared)),
        (1, DocumentGroupPermission.objects.filter(of_teams, documents).values_list(*shared)),
    ):
        for person, pk, codename in rows:
            found[person][sign * pk] |= ROLE_BITS[ROLE_OF_CODENAME[codename]]
    return found
