"""Who has a right on a document, and through which grant: what the one rule of visibility says, explained.

A right comes from a grant on something in the document's `reach`; the strongest one is named. Of two that are
as strong it is the one that lasts longer, then the person's own, so that the answer is the same each time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from django.db import connection

from accounts.models import User
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.cursors import Cursor, Page, cut_page
from cloudscribe.lib.postgresql.arrays import array_text
from documents.models import Document, Origin, State, Workspace
from documents.roles import RANK, ROLE_ACTIONS, ROLE_OF_CODENAME, ROLES, Action, Role
from documents.visibility import visible_to

_RANKS = ", ".join(f"('{codename}', {RANK[role]})" for codename, role in ROLE_OF_CODENAME.items())
_GIVEN = """SELECT g.uid, {sign}g.content_object_id AS target, {subject}, r.rank, g.origin, g.expires_at
    FROM documents_{table} g JOIN auth_permission p ON p.id = g.permission_id
    JOIN ranks r ON r.codename = p.codename
    WHERE g.content_object_id = ANY({targets}::bigint[])
      AND (g.expires_at IS NULL OR g.expires_at > %(now)s)"""
_TO_PERSON, _TO_TEAM = "g.user_id, NULL::integer AS group_id", "NULL::bigint AS user_id, g.group_id"
_TABLES = " UNION ALL ".join(
    _GIVEN.format(sign=sign, subject=subject, table=table, targets=targets)
    for sign, subject, table, targets in (
        ("-", _TO_PERSON, "workspaceuserpermission", "%(rooms)s"),
        ("-", _TO_TEAM, "workspacegrouppermission", "%(rooms)s"),
        ("", _TO_PERSON, "documentuserpermission", "%(documents)s"),
        ("", _TO_TEAM, "documentgrouppermission", "%(documents)s"),
    )
)
# Who may not sign in has no right, whatever was granted to them.
_HELD = f"""WITH ranks (codename, rank) AS (VALUES {_RANKS}), given AS ({_TABLES}), held AS (
    SELECT u.kind, u.id, u.uid AS who, u.name, NULL::uuid AS team, NULL AS team_name, given.*
    FROM given JOIN accounts_user u ON u.id = given.user_id WHERE u.is_active
    UNION ALL
    SELECT u.kind, u.id, u.uid, u.name, t.uid, t.name, given.*
    FROM given JOIN accounts_team t ON t.group_id = given.group_id
    JOIN accounts_user_groups m ON m.group_id = given.group_id
    JOIN accounts_user u ON u.id = m.user_id WHERE u.is_active
    UNION ALL
    SELECT 'team', NULL, t.uid, t.name, t.uid, t.name, given.*
    FROM given JOIN accounts_team t ON t.group_id = given.group_id
)"""  # noqa: S608 (names and ranks of our own)
_STRONGEST = """SELECT DISTINCT ON (who)
    kind, who, name, rank, uid, target, origin, expires_at, team, team_name
    FROM held WHERE {whom}
    ORDER BY who, rank DESC, expires_at DESC NULLS FIRST, team NULLS FIRST, uid"""
_PAGE = f"""{_HELD} SELECT * FROM ({_STRONGEST.format(whom="true")}) AS s
WHERE {{edge}} ORDER BY name {{way}}, who {{way}} LIMIT %(size)s"""  # noqa: S608 (as above)
_EDGES = {
    None: ("true", "ASC"),
    False: ("(name, who) > (%(edge_name)s, %(edge_who)s)", "ASC"),
    True: ("(name, who) < (%(edge_name)s, %(edge_who)s)", "DESC"),
}
_PAGE_TEXTS = {reverse: _PAGE.format(edge=edge, way=way) for reverse, (edge, way) in _EDGES.items()}
_ONE_SQL = f"{_HELD} {_STRONGEST.format(whom='id = %(user)s')}"
_GRANTERS_SQL = f"""{_HELD} SELECT DISTINCT id FROM held
WHERE kind = 'person' AND rank >= {RANK[Role.MANAGER]} ORDER BY id"""  # noqa: S608 (as above)
_READERS_SQL = f"""{_HELD} SELECT DISTINCT id FROM held
WHERE kind = 'person' AND id = ANY(%(people)s::bigint[])"""  # noqa: S608 (as above)
_RANKS_SQL = f"""{_HELD} SELECT id, who, kind, name, max(rank) FROM held
WHERE id IS NOT NULL GROUP BY id, who, kind, name"""  # noqa: S608 (as above)

_TARGETS_SQL = f"""{_HELD} SELECT DISTINCT id, target FROM held
WHERE id = ANY(%(people)s::bigint[])"""  # noqa: S608 (as above)

# What a grant on a document can give at most.
EXPLAINED = tuple(sorted(action for action in ROLE_ACTIONS[Role.MANAGER]))


@dataclasses.dataclass(frozen=True, slots=True)
class Spot:
    """A document or workspace as the reader may see it: one that is hidden has neither id nor name."""

    type: str
    uid: uuid.UUID | None
    name: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Via:
    """The grant that a right comes from; `uid` is None where the reader may not see what it stands on."""

    uid: uuid.UUID | None
    role: Role
    origin: str
    expires_at: dt.datetime | None
    on: Spot
    team: uuid.UUID | None
    team_name: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Access:
    """A person, service or team with a right on the document, and through what."""

    type: str
    uid: uuid.UUID
    name: str
    role: Role
    via: Via


@dataclasses.dataclass(frozen=True, slots=True)
class PersonRank:
    """A person or service and the rank of their strongest role, an index of `ROLES`."""

    uid: uuid.UUID
    type: str
    name: str
    rank: int


@dataclasses.dataclass(frozen=True, slots=True)
class Boundary:
    """The cut at which inheritance ends; `reason` is `cut` or `draft`, None for one that is hidden."""

    on: Spot
    reason: str | None


@dataclasses.dataclass(frozen=True, slots=True)
class Explanation:
    """Why somebody may or may not do something.

    `needed` is the weakest role on the document itself that would allow what is denied, else None.
    """

    user: User
    action: Action
    role: Role | None
    via: Via | None
    boundary: Boundary | None
    needed: Role | None

    @property
    def decision(self) -> str:
        """`allowed` or `denied`."""
        return "allowed" if self.needed is None else "denied"


def access_page(
    actor: Actor, document: Document, *, size: int, cursor: Cursor | None
) -> tuple[list[Access], Page[Any]]:
    """Everybody with a right on the document, by name: people, also those by a team, and the teams.

    For readers who may see who has access. The cursor's values are the name and the id.
    """
    parameters = {**_parameters(actor.now, document.reach), "size": size + 1}
    if cursor is not None:
        parameters["edge_name"], parameters["edge_who"] = cursor.values
    with connection.cursor() as statement:
        statement.execute(_PAGE_TEXTS[None if cursor is None else cursor.reverse], parameters)
        rows = statement.fetchall()
    page = cut_page(rows, size, cursor, lambda row: (row[2], row[1]))
    spots = _spots(actor, document)
    return [_access(row, spots) for row in page.rows], page


def access_explained(
    actor: Actor, document: Document, user: User, action: Action = Action.SEE
) -> Explanation:
    """Whether the user may do this to the document, by which grant, or what would be missing.

    It speaks of the person's own rights, whatever their credential is cut to.
    """
    with connection.cursor() as statement:
        statement.execute(_ONE_SQL, {**_parameters(actor.now, document.reach), "user": user.pk})
        row = statement.fetchone()
    spots = _spots(actor, document)
    held = None if row is None else _access(row, spots)
    allowed = held is not None and action in ROLE_ACTIONS[held.role]
    return Explanation(
        user=user,
        action=action,
        role=held.role if held else None,
        via=held.via if held else None,
        boundary=_boundary(actor, document, spots),
        needed=None if allowed else next(role for role in ROLES if action in ROLE_ACTIONS[role]),
    )


def granters_of(document: Document, now: dt.datetime) -> list[int]:
    """The keys of the people who may grant something on the document at that moment."""
    with connection.cursor() as statement:
        statement.execute(_GRANTERS_SQL, _parameters(now, document.reach))
        return [pk for (pk,) in statement.fetchall()]


def readers_among(document: Document, people: Iterable[int], now: dt.datetime) -> set[int]:
    """The keys of those of some people who may see the document at that moment."""
    wanted = array_text(sorted(set(people)))
    with connection.cursor() as statement:
        statement.execute(_READERS_SQL, {**_parameters(now, document.reach), "people": wanted})
        return {pk for (pk,) in statement.fetchall()}


def ranks_by_reach(reach: Sequence[int], now: dt.datetime) -> dict[int, PersonRank]:
    """By key every person and service with a right on what has this reach, and the rank of their role."""
    with connection.cursor() as statement:
        statement.execute(_RANKS_SQL, _parameters(now, reach))
        rows = statement.fetchall()
    return {pk: PersonRank(who, _type(kind), name, rank) for pk, who, kind, name, rank in rows}


def readers_of(
    documents: Collection[Document], people: Iterable[int], now: dt.datetime
) -> dict[int, set[int]]:
    """By the key of each of these people and services which of the documents they may see at that moment.

    One statement, however many there are of both.
    """
    reach = sorted({target for document in documents for target in document.reach})
    parameters = {**_parameters(now, reach), "people": array_text(sorted(set(people)))}
    found: dict[int, set[int]] = defaultdict(set)
    with connection.cursor() as statement:
        statement.execute(_TARGETS_SQL, parameters)
        for person, target in statement:
            found[target].add(person)
    seen: dict[int, set[int]] = defaultdict(set)
    for document in documents:
        for person in set().union(*(found.get(target, ()) for target in document.reach)):
            seen[person].add(document.pk)
    return seen


def _parameters(now: dt.datetime, reach: Sequence[int]) -> dict[str, Any]:
    return {
        "now": now,
        "rooms": array_text([-target for target in reach if target < 0]),
        "documents": array_text([target for target in reach if target > 0]),
    }


def _type(kind: str) -> str:
    return "user" if kind == User.Kind.PERSON else kind


def _access(row: tuple[Any, ...], spots: dict[int, Spot]) -> Access:
    kind, who, name, rank, grant, target, origin, expires_at, team, team_name = row
    role, spot = ROLES[rank], spots[target]
    shown = None if spot.uid is None else grant
    via = Via(shown, role, Origin(origin), expires_at, spot, team, team_name)
    return Access(_type(kind), who, name, role, via)


def _spots(actor: Actor, document: Document) -> dict[int, Spot]:
    """What the document's reach names, as far as the reader sees it: two statements at most."""
    above = [target for target in document.reach if target > 0]
    rooms = [-target for target in document.reach if target < 0]
    spots = {target: Spot("document" if target > 0 else "workspace", None, None) for target in document.reach}
    seen = visible_to(Document.objects.filter(pk__in=above), actor).values_list("pk", "uid", "title")
    spots.update({pk: Spot("document", uid, title) for pk, uid, title in seen})
    if rooms:
        mine = visible_to(Workspace.objects.filter(pk__in=rooms), actor).values_list("pk", "uid", "name")
        spots.update({-pk: Spot("workspace", uid, name) for pk, uid, name in mine})
    return spots


def _boundary(actor: Actor, document: Document, spots: dict[int, Spot]) -> Boundary | None:
    if document.scope_id < 0:
        return None
    spot = spots[document.scope_id]
    if spot.uid is None:
        return Boundary(spot, None)
    state = document.state
    if document.scope_id != document.pk:
        cut = visible_to(Document.objects.filter(pk=document.scope_id), actor)
        state = cut.values_list("state", flat=True).first() or state
    return Boundary(spot, "draft" if state == State.DRAFT else "cut")
