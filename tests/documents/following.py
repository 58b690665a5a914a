"""Clients that hold nothing but what the change feed told them, in a play whose every step is an event."""

from __future__ import annotations

import dataclasses
import random
import uuid
from collections.abc import Iterable
from typing import Any

from django.db.models.functions import Now

from accounts.models import Team, User
from accounts.selectors import database_now
from accounts.services.teams import team_create, team_delete, team_member_add, team_member_remove
from cloudscribe.lib.actor import Actor, Limit
from cloudscribe.lib.errors import DomainError
from documents.api.filtering import documents_filtered
from documents.models import (
    Document,
    DocumentGroupPermission,
    DocumentUserPermission,
    Workspace,
    WorkspaceGroupPermission,
    WorkspaceUserPermission,
)
from documents.selectors.changes import FeedPosition, changes_page
from documents.selectors.reading import document_read, documents_listed
from documents.services.grants_ended import grants_expire
from documents.services.locking import actor_renewed
from documents.services.snapshot_restore import snapshot_restore
from documents.services.snapshots import snapshot_create
from documents.services.workspaces import workspace_create, workspace_delete
from tests.accounts.factories import user_make
from tests.documents.oracle import Oracle
from tests.documents.play import OPERATIONS, Play

STEPS = (*OPERATIONS, "join", "leave", "expire", "expire", "team_delete", "room_delete", "snapshot", "rewind")
_GRANTS = (
    DocumentUserPermission,
    DocumentGroupPermission,
    WorkspaceUserPermission,
    WorkspaceGroupPermission,
)


class FollowedPlay(Play):
    """As many people as wanted, three workspaces, four teams; all that they do goes by services."""

    def __init__(self, people: int) -> None:
        self.people = [user_make() for _ in range(people)]
        self.rooms = [self._room(number) for number in range(3)]
        self.teams = [self._new_team(number) for number in range(4)]
        self.snapshots: list[Any] = []

    def _room(self, number: int) -> Workspace:
        return workspace_create(actor=self.actor(self.people[number]), name=f"Room {number}")

    def _new_team(self, number: int) -> Team:
        return team_create(actor=self.actor(self.people[number]), name=f"Team {number}")

    def _join(self, actor: Actor, _: Document | None, chance: random.Random) -> None:
        number = chance.randrange(len(self.teams))
        manager, person = self.actor(self.people[number]), chance.choice(self.people)
        team_member_add(actor=manager, team=self.teams[number].uid, user=person.uid)

    def _leave(self, actor: Actor, _: Document | None, chance: random.Random) -> None:
        number = chance.randrange(len(self.teams))
        others = User.objects.filter(groups=self.teams[number].group_id).exclude(pk=self.people[number].pk)
        if person := others.order_by("?").first():
            manager = self.actor(self.people[number])
            team_member_remove(actor=manager, team=self.teams[number].uid, user=person.uid)

    def _team_delete(self, actor: Actor, _: Document | None, chance: random.Random) -> None:
        number = chance.randrange(len(self.teams))
        team_delete(actor=self.actor(self.people[number]), team=self.teams[number].uid)
        self.teams[number] = self._new_team(number)

    def _room_delete(self, actor: Actor, _: Document | None, chance: random.Random) -> None:
        number = chance.randrange(len(self.rooms))
        if chance.random() < 0.3:
            workspace_delete(actor=self.actor(self.people[number]), workspace=self.rooms[number])
            self.rooms[number] = self._room(number)

    def _snapshot(self, actor: Actor, _: Document | None, chance: random.Random) -> None:
        number = chance.randrange(len(self.rooms))
        owner = self.actor(self.people[number])
        self.snapshots.append((number, snapshot_create(actor=owner, workspace=self.rooms[number], name="S")))

    def _rewind(self, actor: Actor, _: Document | None, chance: random.Random) -> None:
        if self.snapshots:
            number, snapshot = chance.choice(self.snapshots)
            snapshot_restore(actor=self.actor(self.people[number]), snapshot=snapshot)

    def _expire(self, actor: Actor, _: Document | None, chance: random.Random) -> None:
        """Some grants come to their end, as if hours had passed."""
        for table in _GRANTS:
            temporary = table.objects.filter(expires_at__isnull=False).order_by("pk")
            ending = [row.pk for row in temporary if chance.random() < 0.5]
            table.objects.filter(pk__in=ending).update(expires_at=Now())
        grants_expire()


class Follower:
    """A client as docs/changes.md has it: documents by id, each with its parent and its workspace."""

    def __init__(self, person: User, limit: Limit | None = None, room: Workspace | None = None) -> None:
        self.person, self.limit, self.room = person, limit, room
        self.held: dict[uuid.UUID, tuple[uuid.UUID | None, uuid.UUID]] = {}
        self.position: FeedPosition | None = None

    def follow(self, actor: Actor, size: int) -> None:
        """Read the feed to its end, in pages of such a size."""
        actor, more = dataclasses.replace(actor, limit=self.limit), True
        while more:
            page = changes_page(
                actor,
                actor_renewed,
                after=self.position,
                size=size,
                room=self.room.uid if self.room else None,
            )
            for entry in page.entries:
                self._apply(actor, entry)
            self.position, more = page.position, page.more

    def _apply(self, actor: Actor, entry: Any) -> None:
        if entry.tombstone or entry.access_gained:
            gone = self._below(entry.id) if entry.type == "document" else self._inside(entry.id)
            for uid in gone:
                self.held.pop(uid, None)
        if entry.access_gained:
            where = "subtree" if entry.type == "document" else "workspace"
            self.held |= walked(actor, {where: entry.id})
        elif entry.type == "document" and not entry.tombstone:
            self._read(actor, entry.id)

    def _read(self, actor: Actor, uid: uuid.UUID) -> None:
        try:
            answer, _ = document_read(actor, uid)
        except DomainError:
            self.held.pop(uid, None)
        else:
            self.held[uid] = _kept(answer)

    def _below(self, root: uuid.UUID) -> set[uuid.UUID]:
        found, more = {root}, True
        while more:
            below = {uid for uid, (parent, _) in self.held.items() if parent in found} - found
            found, more = found | below, bool(below)
        return found

    def _inside(self, room: uuid.UUID) -> set[uuid.UUID]:
        return {uid for uid, (_, workspace) in self.held.items() if workspace == room}


def walked(actor: Actor, where: dict[str, uuid.UUID]) -> dict[uuid.UUID, Any]:
    """What the lists give, archived documents and templates among it."""
    found: dict[uuid.UUID, Any] = {}
    for state in ({}, {"state": "archived"}):
        for template in (False, True):
            rows = documents_filtered(actor, {**where, **state, "template": template})
            keys = list(rows.values_list("pk", flat=True))
            found |= {uuid.UUID(str(row["id"])): _kept(row) for row in documents_listed(actor, keys).values()}
    return found


def _kept(answer: Any) -> tuple[uuid.UUID | None, uuid.UUID]:
    parent = answer["parent"]
    return parent and uuid.UUID(str(parent)), uuid.UUID(str(answer["workspace"]))


def differences(
    play: Play, followers: Iterable[Follower]
) -> list[tuple[int, set[uuid.UUID], set[uuid.UUID]]]:
    """Of each follower whose documents aren't what a fresh walk shows: what is missing, what is extra."""
    wrong, oracle = [], Oracle(database_now())
    for number, follower in enumerate(followers):
        inside = [
            row
            for pk, row in oracle.documents.items()
            if row.trashed_at is None and oracle.rank(follower.person.pk, pk) >= 0 and _within(row, follower)
        ]
        fresh = {row.uid for row in inside}
        if fresh != follower.held.keys():
            wrong.append((number, fresh - follower.held.keys(), follower.held.keys() - fresh))
    return wrong


def _within(row: Any, follower: Follower) -> bool:
    limit = follower.limit or Limit()
    if follower.room is not None and row.workspace_id != follower.room.pk:
        return False
    if limit.workspace_pk is not None and row.workspace_id != limit.workspace_pk:
        return False
    return limit.document_pk is None or f"{limit.document_pk:010x}" in row.path
