"""Pages of the change feed: a window of the trail, judged by the reader's rights of the moment.

The order is that of the trail, and only what is older than every running writer is given out. What has
settled is fixed first and the rights are read after it, so that no verdict is older than its event; what
changes meanwhile comes later in the feed.
"""

from __future__ import annotations

import dataclasses
import functools
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import orjson
from django.db import connection, transaction
from django.db.models import Q

from accounts.models import Team
from audit.models import Event
from audit.selectors import BEGINNING, IN_ORDER_SQL
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.postgresql.arrays import array_text
from cloudscribe.lib.postgresql.base import prepared_rows
from documents.changes import (
    GIVEN,
    PLACED,
    PLAIN,
    ROOMS,
    TAKEN,
    TEAMS,
    Entry,
    Happened,
    Place,
    Reader,
    entries_of,
)
from documents.exceptions import ResyncNeeded
from documents.models import (
    Document,
    DocumentGroupPermission,
    Placement,
    Workspace,
    WorkspaceGroupPermission,
)
from documents.roles import SEE_BIT
from documents.visibility import VISIBLE_SQL, rights_of, visible_parameters

# So many events of others are looked through for one page.
WINDOW = 5_000
# Most of these are an entry, so that they fill the largest page.
_MOST_JUDGED = 250
# Up to where all has settled, the lowest number that the trail still holds, and whether it held lower ones.
_HORIZON_SQL = """
SELECT n.number, pg_snapshot_xmin(pg_current_snapshot())::text::bigint, f.lowest,
       EXISTS (SELECT FROM audit_eventleaf l WHERE l.sequence < f.lowest)
FROM (SELECT max(number) AS number FROM audit_epoch) n, (SELECT min(sequence) AS lowest FROM audit_event) f
"""
# Leaves stand in the order of the feed and stay when their events go: does the last of those that went stand
# behind the cursor? It is among the highest numbers, as few are committed out of order. What has no leaf
# yet is newer than all of them.
_LEADS_ON_SQL = """
SELECT coalesce((SELECT leaf FROM audit_eventleaf WHERE sequence = %(after)s),
                (SELECT 9223372036854775807 FROM audit_event WHERE sequence = %(after)s), -1)
       >= (SELECT max(leaf) FROM audit_eventleaf
           WHERE sequence >= %(lowest)s - 10000 AND sequence < %(lowest)s)
"""
_LAST_SQL = """
SELECT epoch, xid, sequence FROM audit_event WHERE (epoch, xid) < (%(epoch)s::int, %(horizon)s::bigint)
ORDER BY epoch DESC, xid DESC, sequence DESC LIMIT 1
"""
_PLACE = """d.id, d.uid, d.workspace_id, w.uid, d.path, d.reach, d.trashed_at IS NOT NULL"""
# Plain changes of what is hidden are left out here, as most of them are others'. The last row of the window
# always comes along: it tells how far the page has got.
_WINDOW_SQL = f"""
WITH happened AS MATERIALIZED (
    SELECT sequence, epoch, xid, at, action, target_type, target_uid, workspace_uid, facts,
           CASE WHEN action = ANY(%(grants)s) THEN (facts ->> 'root')::uuid ELSE target_uid END AS root,
           row_number() OVER (ORDER BY epoch, xid, sequence) AS n
    FROM (SELECT * FROM audit_event
          WHERE (epoch, xid, sequence) > (%(after_epoch)s::int, %(after_xid)s::bigint, %(after)s::bigint)
            AND (epoch, xid) < (%(epoch)s::int, %(horizon)s::bigint)
          ORDER BY epoch, xid, sequence LIMIT %(window)s) e
)
SELECT h.epoch, h.xid, h.n, h.action = ANY(%(actions)s) AS told,
       h.sequence, h.at, h.action, h.target_type, h.target_uid, h.workspace_uid, h.facts, {_PLACE}
FROM happened h
LEFT JOIN documents_document d ON d.uid = h.root AND h.action = ANY(%(of_documents)s)
LEFT JOIN documents_workspace w ON w.id = d.workspace_id
WHERE h.n = (SELECT count(*) FROM happened)
   OR h.action = ANY(%(actions)s) AND (h.action <> ALL(%(plain)s) OR d.id IS NOT NULL AND {VISIBLE_SQL})
ORDER BY h.n LIMIT %(most)s
"""  # noqa: S608 (fragments of our own)
_PLACES_SQL = f"""
SELECT {_PLACE}, p.reach FROM unnest(%s::bigint[]) AS k(id)
JOIN documents_document d ON d.id = k.id JOIN documents_workspace w ON w.id = d.workspace_id
LEFT JOIN documents_document p ON p.id = d.parent_id ORDER BY d.path
"""  # noqa: S608 (as above)
_OF_GRANTS = ["document.glass_broken", "document.overridden", "grant.expired", "grant.removed", "grant.set"]
_SETS = {
    "actions": sorted({*GIVEN, *TAKEN, *PLACED, *PLAIN, *ROOMS}),
    "grants": _OF_GRANTS,
    "of_documents": sorted({*PLACED, *PLAIN, *_OF_GRANTS}),
    "plain": sorted(PLAIN),
}
# The facts that hold ids of documents and workspaces whose grants count, or to which a token may be cut.
_TARGETS = ("line_left", "reach", "reach_lost")


class FeedPosition(NamedTuple):
    """A place in the order of events, and the epoch under which it was given out: a restore voids it."""

    issued: int
    epoch: int
    xid: int
    sequence: int


@dataclasses.dataclass(frozen=True, slots=True)
class Changes:
    """A page of the feed: its entries, where it goes on, and whether something waits there already."""

    entries: list[Entry]
    position: FeedPosition
    more: bool


@dataclasses.dataclass(frozen=True, slots=True)
class _Horizon:
    epoch: int
    xid: int
    lowest: int | None
    is_cut: bool


def changes_page(
    actor: Actor,
    renew: Callable[[Actor], Actor],
    *,
    after: FeedPosition | None,
    size: int,
    room: uuid.UUID | None = None,
) -> Changes:
    """What happened behind a position (None: from the beginning), oldest first, of one workspace or of all.

    An event's entries stay together, so that a page may hold more than `size`; where nothing of much is the
    reader's it may be empty and yet lead on. `renew` gives the actor by the rights of now. Raises
    ResyncNeeded where events behind the position are gone.
    """
    horizon = _Horizon(*prepared_rows(_HORIZON_SQL, {})[0])
    _reach_check(after, horizon)
    actor = renew(actor)
    start = after or FeedPosition(horizon.epoch, *BEGINNING)
    parameters = {
        **_SETS,
        **visible_parameters(actor),
        "after_epoch": start.epoch,
        "after_xid": start.xid,
        "after": start.sequence,
        "epoch": horizon.epoch,
        "horizon": horizon.xid,
        "window": WINDOW,
        "most": _MOST_JUDGED,
    }
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(IN_ORDER_SQL)
        cursor.execute(_WINDOW_SQL, parameters)
        rows = cursor.fetchall()
    return _judged(actor, rows, start, size, room)


def position_now() -> FeedPosition:
    """The position behind which nothing has settled yet, for a client that walks everything itself."""
    horizon = _Horizon(*prepared_rows(_HORIZON_SQL, {})[0])
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(IN_ORDER_SQL)
        cursor.execute(_LAST_SQL, {"epoch": horizon.epoch, "horizon": horizon.xid})
        row = cursor.fetchone()
    return FeedPosition(horizon.epoch, *(row or BEGINNING))


def position_check(after: FeedPosition) -> None:
    """Raise ResyncNeeded where events behind a position are gone, or it was given out before a restore."""
    _reach_check(after, _Horizon(*prepared_rows(_HORIZON_SQL, {})[0]))


def _reach_check(after: FeedPosition | None, horizon: _Horizon) -> None:
    if after is not None and after.issued != horizon.epoch:
        raise ResyncNeeded
    if horizon.is_cut:
        values = {"after": after.sequence if after else 0, "lowest": horizon.lowest}
        if prepared_rows(_LEADS_ON_SQL, values) != [(True,)]:
            raise ResyncNeeded


def _judged(
    actor: Actor, rows: Sequence[tuple[Any, ...]], start: FeedPosition, size: int, room: uuid.UUID | None
) -> Changes:
    if not rows:
        return Changes([], start, more=False)
    events = [(_happened(row[4:11]), _place(row[11:])) for row in rows]
    reader = _reader(actor, [event for event, _ in events], room)
    entries: list[Entry] = []
    for row, (event, place) in zip(rows, events, strict=True):
        if row[3]:
            entries += entries_of(event, place, reader)
        if len(entries) >= size:
            break
    position = FeedPosition(start.issued, row[0], row[1], event.sequence)
    more = row is not rows[-1] or row[2] == WINDOW or len(rows) == _MOST_JUDGED
    return Changes(entries, position, more)


def _happened(columns: Sequence[Any]) -> Happened:
    *plain, facts = columns
    values = [*plain, orjson.loads(facts)]
    return Happened(*values)


def _place(columns: Sequence[Any]) -> Place | None:
    return None if columns[0] is None else Place(*columns)


def _reader(actor: Actor, events: Sequence[Happened], room: uuid.UUID | None) -> Reader:
    rights, limit = rights_of(actor), actor.limit
    cut_to = None if limit is None else limit.document_pk
    granted = [target for target, bits in rights.items() if target > 0 and bits & SEE_BIT]
    if limit is not None and limit.workspace_pk is not None:
        own = Workspace.objects.filter(pk=limit.workspace_pk).values_list("uid", flat=True).first()
        # Narrowed to two workspaces there is nothing; the id of none is such a one.
        room = own if own is not None and room in {None, own} else uuid.UUID(int=0)
    in_team = {
        uuid.UUID(event.facts["team"]): _in_team(uuid.UUID(event.facts["team"]))
        for event in events
        if event.action in TEAMS and event.target == actor.uid
    }
    rooms = {uid: key for found, _ in in_team.values() for uid, key in found.items()}
    return Reader(
        rights=rights,
        limit=limit,
        room=room,
        keys={**_keys(events), **rooms},
        places=functools.cache(lambda: _places([*granted, *([cut_to] if cut_to else [])])),
        in_team={team: (list(found), places) for team, (found, places) in in_team.items()},
        mine=_Mine(actor),
        stood_here=lambda place: Placement.objects.filter(
            document_id=place.id, workspace__uid=str(room)
        ).exists(),
        uid=actor.uid,
    )


def _keys(events: Sequence[Happened]) -> dict[uuid.UUID, int]:
    """The keys, as a map of rights has them, of all that the events name and is still there."""
    named = {uuid.UUID(uid) for event in events for name in _TARGETS for uid in event.facts.get(name, ())}
    rooms = {event.root for event in events if event.is_of_room and event.root}
    keys: dict[uuid.UUID, int] = {}
    if named:
        keys = dict(Document.objects.filter(uid__in=named).values_list("uid", "pk"))
    if named or rooms:
        found = Workspace.objects.filter(uid__in=named | rooms).values_list("uid", "pk")
        keys |= {uid: -pk for uid, pk in found}
    return keys


def _places(keys: Iterable[int]) -> list[Place]:
    rows = prepared_rows(_PLACES_SQL, [array_text(list(dict.fromkeys(keys)))])
    return [Place(*row) for row in rows]


def _in_team(team: uuid.UUID) -> tuple[dict[uuid.UUID, int], list[Place]]:
    """What a team is granted: workspaces, with their keys as a map of rights has them, and documents."""
    inside = Q(group__team__uid=team)
    rooms = WorkspaceGroupPermission.objects.filter(inside).values_list(
        "content_object__uid", "content_object"
    )
    documents = DocumentGroupPermission.objects.filter(inside).values_list("content_object_id", flat=True)
    return {uid: -pk for uid, pk in rooms}, _places(documents)


class _Mine:
    """Whether rights that were given to these subjects, people and teams, are or were the actor's."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor

    def __call__(self, subjects: Sequence[str]) -> bool:
        if not subjects or self._actor.pk is None:
            return False
        named = set(subjects)
        return str(self._actor.uid) in named or bool(named & self._teams) or bool(named & self._left)

    @functools.cached_property
    def _teams(self) -> set[str]:
        teams = Team.objects.filter(group__user__uid=str(self._actor.uid))
        return {str(uid) for uid in teams.values_list("uid", flat=True)}

    @functools.cached_property
    def _left(self) -> set[str]:
        """The teams that the actor left, or was in when these were deleted, as the trail tells."""
        gone = Event.objects.filter(action="team_member.removed", target_uid=self._actor.uid)
        left = {facts["team"] for facts in gone.values_list("facts", flat=True)}
        ended = Event.objects.filter(
            action="team.deleted", facts__subjects__contains=[str(self._actor.uid)]
        ).values_list("target_uid", flat=True)
        return left | {str(uid) for uid in ended}
