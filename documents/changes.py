"""What an event means to one reader of the change feed, judged by the rights that they have now.

Pure: what was read is handed in. An entry says one of three things. `tombstone`: drop it, and all that you
hold below it. `access_gained`: read it anew with all below it, for it came into your sight or to another
place. Neither: read it anew. Of a workspace they speak of all its documents. Each verdict is of now, so that
whatever is said of a place is true when it is said, and what changes later comes later in the feed.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from cloudscribe.lib.actor import Limit
from documents.roles import SEE_BIT
from documents.visibility import bits_on

# By which somebody's rights may have risen or only sunk.
GIVEN = frozenset(
    {
        "document.glass_broken",
        "document.overridden",
        "grant.set",
        "member.added",
        "member.changed",
        "team_member.added",
    }
)
TAKEN = frozenset({"grant.expired", "grant.removed", "member.removed", "team_member.removed"})
TEAMS = frozenset({"team_member.added", "team_member.removed"})
# By which a document and all below it came to stand elsewhere, or are seen by others.
PLACED = frozenset(
    {
        "document.access_changed",
        "document.moved",
        "document.published",
        "document.purged",
        "document.restored",
        "document.trashed",
        "document.unpublished",
    }
)
PLAIN = frozenset(
    {
        "document.archived",
        "document.created",
        "document.locked",
        "document.owner_changed",
        "document.unarchived",
        "document.unlocked",
        "document.updated",
    }
)
ROOMS = frozenset(
    {
        "documents.handed_over",
        "workspace.access_mended",
        "workspace.created",
        "workspace.deleted",
        "workspace.updated",
    }
)
# What hides or shows places below one that the reader doesn't see itself.
_BELOW = frozenset({"document.restored", "document.trashed"})


@dataclasses.dataclass(frozen=True, slots=True)
class Happened:
    """An event of the trail, as far as it is needed."""

    sequence: int
    at: dt.datetime
    action: str
    target_type: str
    target: uuid.UUID | None
    workspace: uuid.UUID | None
    facts: Mapping[str, Any]

    @property
    def root(self) -> uuid.UUID | None:
        """What was touched: of rights the document or workspace that they are on."""
        named = self.facts.get("root")
        return self.target if named is None else uuid.UUID(named)

    @property
    def is_of_room(self) -> bool:
        """Whether that is a workspace."""
        return self.target_type in {"member", "workspace"}

    @property
    def is_reorder(self) -> bool:
        """Whether a document only stands elsewhere among its siblings."""
        return self.action == "document.moved" and not {"documents", "snapshot"} & self.facts.keys()


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """A document as it stands now, and the one above it, as `bits_on` takes them."""

    id: int
    uid: uuid.UUID
    workspace_id: int
    workspace: uuid.UUID
    path: str
    reach: Sequence[int]
    trashed: bool
    above: Sequence[int] | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class _Above:
    """What stands above a place."""

    id: int
    workspace_id: int
    path: str
    reach: Sequence[int]


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One line of the feed; `id` is of a document or, by `type`, a workspace."""

    sequence: int
    action: str
    type: str
    id: uuid.UUID
    workspace: uuid.UUID | None
    at: dt.datetime
    tombstone: bool = False
    access_gained: bool = False
    subtree: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Reader:
    """Whose feed it is, by the rights of now.

    `rights` are action bits by target, `limit` what the credential is cut to, `room` the workspace that the
    feed is narrowed to, by itself or by the credential. `keys` gives the targets by public id of what still
    stands, `places` the documents that the reader was granted by themselves (and the one that the credential
    is cut to), `in_team` the workspaces and documents that the teams are granted which the reader joined or
    left by these events. `mine` tells whether any of such subjects is the reader or a team that they are or
    were in, `stood_here` whether a document ever stood in `room`.
    """

    rights: Mapping[int, int]
    limit: Limit | None
    room: uuid.UUID | None
    keys: Mapping[uuid.UUID, int]
    places: Callable[[], Sequence[Place]]
    in_team: Mapping[uuid.UUID, tuple[Sequence[uuid.UUID], Sequence[Place]]]
    mine: Callable[[Sequence[str]], bool]
    stood_here: Callable[[Place], bool]
    uid: uuid.UUID | None

    def sees(self, place: Place) -> bool:
        """Whether it is seen where it stands, by this credential and in this feed."""
        return self._is_in(place.workspace) and bool(bits_on(self.rights, self.limit, place) & SEE_BIT)

    def sees_room(self, room: uuid.UUID | None) -> bool:
        """Whether a workspace is seen as a whole."""
        if room is None or not self._is_in(room) or (self.limit and self.limit.document_pk is not None):
            return False
        return bool(self.rights.get(self.keys.get(room, 0), 0) & SEE_BIT)

    def knew(self, targets: Sequence[str]) -> bool:
        """Whether the reader sees by a grant on any of these, documents or workspaces."""
        keys = (self.keys.get(uuid.UUID(target), 0) for target in targets)
        return any(self.rights.get(key, 0) & SEE_BIT for key in keys)

    def knows_elsewhere(self, place: Place) -> bool:
        """Whether the person sees it, wherever this credential and this feed end."""
        return bool(bits_on(self.rights, None, place) & SEE_BIT)

    def was_in_cut(self, event: Happened) -> bool:
        """Whether it left the document that the credential is cut to."""
        cut = None if self.limit is None else self.limit.document_pk
        left = (uid for name in ("line_left", "reach_lost") for uid in event.facts.get(name, ()))
        return cut is not None and any(self.keys.get(uuid.UUID(uid)) == cut for uid in left)

    def tops(self, *, below: str = "", room: uuid.UUID | None = None) -> Iterator[Place]:
        """Where the reader's sight begins below a path or in a workspace, without its root."""
        for place in self.places():
            inside = place.workspace == room if room else place.path.startswith(below) and place.path != below
            if inside and self.sees(place) and not self._sees_above(place):
                yield place

    def _sees_above(self, place: Place) -> bool:
        if place.above is None:
            return False
        path = place.path[:-10]
        above = _Above(int(path[-10:], 16), place.workspace_id, path, place.above)
        return bool(bits_on(self.rights, self.limit, above) & SEE_BIT)

    def _is_in(self, room: uuid.UUID | None) -> bool:
        return self.room is None or room == self.room


def entries_of(event: Happened, place: Place | None, reader: Reader) -> list[Entry]:
    """What one event says to the reader; `place` is the document that it is about, as it stands now."""
    if event.action in PLAIN or event.is_reorder:
        return [_standing(event, place)] if place is not None and reader.sees(place) else []
    if event.action in PLACED:
        return list(_placed(event, place, reader))
    if event.action in ROOMS:
        return list(_room_changed(event, reader))
    if event.action in TEAMS:
        return list(_team_changed(event, reader)) if event.target == reader.uid else []
    if not reader.mine(event.facts.get("subjects", ())):
        return []
    if event.is_of_room:
        return list(_room_rights(event, event.root, reader))
    return list(_rights(event, event.root, place, reader))


def _placed(event: Happened, place: Place | None, reader: Reader) -> Iterator[Entry]:
    if place is not None and reader.sees(place):
        yield _standing(event, place, anew=True)
        if place.trashed:
            yield from _tops(event, reader, below=place.path)
        return
    if event.action == "document.purged":
        yield from _purged(event, reader)
        return
    left = event.facts.get("from_workspace")
    stood_in = uuid.UUID(left) if left else event.workspace
    out_of_room = left is not None and reader.room == stood_in
    if place is not None and (out_of_room or reader.was_in_cut(event)):
        yield from _gone_elsewhere(event, place, stood_in, reader)
        if reader.knows_elsewhere(place):
            return
    facts = event.facts
    lost = reader.knew(facts.get("reach_lost", ())) or reader.mine(facts.get("subjects", ()))
    if lost and event.target is not None:
        yield from _gone(event, event.target, stood_in, reader)
    if place is not None and (lost or left or event.action in _BELOW or "snapshot" in facts):
        yield from _tops(event, reader, below=place.path)


def _purged(event: Happened, reader: Reader) -> Iterator[Entry]:
    if event.target is not None and reader.knew(event.facts.get("reach", ())):
        yield from _gone(event, event.target, event.workspace, reader)
    for place, subjects in event.facts.get("places", ()):
        if reader.mine(subjects):
            yield from _gone(event, uuid.UUID(place), event.workspace, reader)


def _gone_elsewhere(event: Happened, place: Place, room: uuid.UUID | None, reader: Reader) -> Iterator[Entry]:
    """What went out of the part that feed or credential are narrowed to, of what the person still sees."""
    inside = [place, *(top for top in reader.places() if top.path.startswith(place.path))]
    for each in dict.fromkeys(row.uid for row in inside if reader.knows_elsewhere(row)):
        yield from _gone(event, each, room, reader)


def _rights(event: Happened, root: uuid.UUID | None, place: Place | None, reader: Reader) -> Iterator[Entry]:
    """What somebody's own rights on a document became."""
    if place is not None and reader.sees(place):
        yield _standing(event, place, anew=event.action in GIVEN)
        return
    if root is not None and _was_in(event, place, reader):
        yield _entry(event, "document", root, event.workspace, tombstone=True, subtree=True)
    if place is not None:
        yield from _tops(event, reader, below=place.path)


def _was_in(event: Happened, place: Place | None, reader: Reader) -> bool:
    """Whether what is hidden now may have been in this feed: not beyond its workspace or the token's cut."""
    if place is None:
        return reader.room in {None, event.workspace}
    if reader.limit is not None and reader.knows_elsewhere(place):
        return False
    return reader.room in {None, event.workspace} or reader.stood_here(place)


def _room_rights(event: Happened, room: uuid.UUID | None, reader: Reader) -> Iterator[Entry]:
    """What somebody's own rights on a workspace became. With a membership its inner grants may have gone."""
    if room is None:
        return
    if reader.sees_room(room):
        yield _room_entry(event, room, anew=event.action != "grant.expired")
        return
    if reader.room in {None, room} and not (reader.limit and reader.limit.document_pk is not None):
        yield _room_entry(event, room, tombstone=True)
    yield from _tops(event, reader, room=room)


def _room_changed(event: Happened, reader: Reader) -> Iterator[Entry]:
    room = event.target
    if room is None:
        return
    if reader.sees_room(room):
        yield _room_entry(event, room, anew=event.action != "workspace.updated")
    elif event.action == "workspace.deleted":
        if reader.room in {None, room} and reader.mine(event.facts.get("subjects", ())):
            yield _room_entry(event, room, tombstone=True)
    elif event.action in {"documents.handed_over", "workspace.access_mended"}:
        tops = list(_tops(event, reader, room=room))
        if tops and event.action == "workspace.access_mended" and not (reader.limit or reader.room):
            yield _room_entry(event, room, tombstone=True)
        yield from tops


def _team_changed(event: Happened, reader: Reader) -> Iterator[Entry]:
    """What somebody has or had by a team, of what it is granted now."""
    rooms, places = reader.in_team[uuid.UUID(event.facts["team"])]
    for room in rooms:
        yield from _room_rights(event, room, reader)
    for place in places:
        yield from _rights(event, place.uid, place, reader)


def _tops(event: Happened, reader: Reader, **where: Any) -> Iterator[Entry]:
    for place in reader.tops(**where):
        yield _standing(event, place, anew=True)


def _gone(event: Happened, uid: uuid.UUID, room: uuid.UUID | None, reader: Reader) -> Iterator[Entry]:
    if reader.room in {None, room}:
        yield _entry(event, "document", uid, room, tombstone=True, subtree=True)


def _standing(event: Happened, place: Place, *, anew: bool = False) -> Entry:
    """The entry of a document that is seen; what is in the trash is gone, whatever else was done to it."""
    if place.trashed:
        return _entry(event, "document", place.uid, place.workspace, tombstone=True, subtree=True)
    return _entry(event, "document", place.uid, place.workspace, access_gained=anew, subtree=anew)


def _room_entry(event: Happened, room: uuid.UUID, *, anew: bool = False, tombstone: bool = False) -> Entry:
    return _entry(
        event,
        "workspace",
        room,
        room,
        tombstone=tombstone,
        access_gained=anew,
        subtree=anew or tombstone,
    )


def _entry(event: Happened, kind: str, uid: uuid.UUID, room: uuid.UUID | None, **flags: bool) -> Entry:
    return Entry(event.sequence, event.action, kind, uid, room, event.at, **flags)
