"""People who do what they like with documents, teams and grants."""

from __future__ import annotations

import datetime as dt
import random
from typing import Any

from django.contrib.auth.models import Group

from accounts.actors import service_actor
from accounts.models import Team, User
from accounts.selectors import database_now
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import DomainError
from documents.models import (
    Document,
    DocumentGroupPermission,
    DocumentUserPermission,
    Workspace,
    WorkspaceGroupPermission,
    WorkspaceUserPermission,
)
from documents.policies import Action, can
from documents.roles import ROLES, Role
from documents.services.destinations import Destination
from documents.services.documents import NewDocument, document_create
from documents.services.emergency import owner_override
from documents.services.grants import grant_change, grant_remove, grant_set
from documents.services.members import member_add, member_change, member_remove
from documents.services.states import (
    document_archive,
    document_inheritance_set,
    document_publish,
    document_unarchive,
    document_unpublish,
)
from documents.services.trash import document_purge, document_restore, document_trash
from documents.services.trees import document_move
from documents.services.workspaces import workspace_create
from tests.accounts.factories import user_make

_STATES = {
    "publish": document_publish,
    "unpublish": document_unpublish,
    "archive": document_archive,
    "unarchive": document_unarchive,
    "trash": document_trash,
    "restore": document_restore,
    "purge": document_purge,
}
OPERATIONS = (
    *(
        "create",
        "create",
        "create",
        "create",
        "create",
        "create",
        "move",
        "move",
        "move",
        "cut",
        "cut",
        "grant",
        "grant",
        "grant",
    ),
    *("grant_change", "grant_remove", "member", "member_change", "member_remove", "join", "leave"),
    *("publish", "unpublish", "archive", "unarchive", "unarchive"),
    *("trash", "restore", "restore", "purge", "override"),
)


class Play:
    """Two workspaces, six people, two teams."""

    most = 30

    def __init__(self) -> None:
        self.people = [user_make() for _ in range(6)]
        self.rooms = [
            workspace_create(actor=self.actor(person), name=f"Room {number}")
            for number, person in enumerate(self.people[:2])
        ]
        self.teams = [self._team(number) for number in range(2)]
        self.teams[0].group.user_set.set(self.people[3:5])

    def begin(self, chance: random.Random) -> None:
        """Something to play with: documents, some of them cut, grants and members."""
        for name in ["create"] * 14 + ["cut"] * 3 + ["grant"] * 8 + ["member"] * 4:
            self.operate(name, chance)

    @staticmethod
    def _team(number: int) -> Team:
        team = Team(name=f"Team {number}", group=Group.objects.create(name=f"team:play-{number}"))
        team.save()
        return team

    def actor(self, person: User) -> Actor:
        """A person as they are now."""
        return service_actor(person)

    # --- what they do ----------------------------------------------------------------------------------
    def operate(self, name: str, chance: random.Random) -> str | None:
        """Let somebody do something; the code of the refusal, None where it was done."""
        if name == "create" and Document.objects.count() >= self.most:
            name = "move"
        document = self._document_for(name, chance)
        person = self._person_for(document, chance)
        try:
            if name in _STATES:
                if document is not None:
                    _STATES[name](actor=self.actor(person), document=document)  # type: ignore[operator]
            else:
                getattr(self, f"_{name}")(self.actor(person), document, chance)
        except DomainError as refusal:
            return refusal.code
        return None

    @staticmethod
    def _document_for(name: str, chance: random.Random) -> Document | None:
        """Mostly one of those that this can be done to; else any."""
        rows = Document.objects.select_related("workspace", "parent").order_by("pk")
        fit = rows.filter(trashed_at__isnull=name not in {"restore", "purge"})
        if name in {"publish", "unarchive"}:
            fit = fit.filter(state="draft" if name == "publish" else "archived")
        elif name not in {"restore", "purge", "trash"}:
            fit = fit.exclude(state="archived")
        some = list(fit) if chance.random() < 0.9 else []
        some = some or list(rows)
        if name == "create" and chance.random() < 0.3:
            return None
        return chance.choice(some) if some else None

    def _person_for(self, document: Document | None, chance: random.Random) -> User:
        """Mostly one of those who manage it; else anybody."""
        anybody = chance.choice(self.people)
        if chance.random() >= 0.8:
            return anybody
        if document is None:
            return chance.choice(self.people[:2])
        drawn = chance.sample(self.people, len(self.people))
        able = (person for person in drawn if can(self.actor(person), Action.MOVE, document))
        return next(able, anybody)

    def _create(self, actor: Actor, parent: Document | None, chance: random.Random) -> None:
        room = parent.workspace if parent is not None else chance.choice(self.rooms)
        state = chance.choice(["published"] * 4 + ["draft"])
        new = NewDocument(
            title="Page", content="A page of the play.", state=state, template=chance.random() < 0.1
        )
        document_create(actor=actor, workspace=room, parent=parent, new=new)

    def _move(self, actor: Actor, document: Document | None, chance: random.Random) -> None:
        parent = self._document_for("move", chance) if chance.random() < 0.7 else None
        room = parent.workspace if parent is not None else chance.choice(self.rooms)
        if document is not None:
            document_move(actor=actor, document=document, to=Destination(room, parent))

    def _cut(self, actor: Actor, document: Document | None, chance: random.Random) -> None:
        if document is not None:
            flag = not document.inherits_access
            document_inheritance_set(actor=actor, document=document, inherits_access=flag)

    def _override(self, actor: Actor, document: Document | None, chance: random.Random) -> None:
        if document is not None:
            owner_override(actor=actor, document=document.uid, reason="Play")

    def _given(self, chance: random.Random) -> dict[str, Any]:
        some = chance.random() < 0.7
        subject = {"user": chance.choice(self.people)} if some else {"team": chance.choice(self.teams)}
        hours = chance.choice([None, None, 1, 3])
        end = None if hours is None else database_now() + dt.timedelta(hours=hours)
        return {**subject, "expires_at": end}

    def _grant(self, actor: Actor, document: Document | None, chance: random.Random) -> None:
        if document is not None:
            grant_set(actor=actor, document=document, role=self._role(chance), **self._given(chance))

    def _member(self, actor: Actor, document: Document | None, chance: random.Random) -> None:
        room, owner = self._room_and_owner(actor, chance)
        member_add(actor=owner, workspace=room, role=self._role(chance), **self._given(chance))

    def _room_and_owner(self, actor: Actor, chance: random.Random) -> tuple[Workspace, Actor]:
        room = chance.choice(self.rooms)
        owner = self.actor(self.people[self.rooms.index(room)])
        return room, chance.choice([actor, owner, owner])

    @staticmethod
    def _role(chance: random.Random) -> Role:
        return chance.choice([role for role in ROLES if role is not Role.OWNER])

    @staticmethod
    def _some_grant(chance: random.Random, *tables: Any) -> Any:
        rows = [row for table in tables for row in table.objects.order_by("pk")]
        return chance.choice(rows) if rows else None

    def _some_granted(self, actor: Actor, chance: random.Random) -> tuple[Any, Any, Actor]:
        """A grant on a document, that document, and somebody who mostly manages it."""
        grant = self._some_grant(chance, DocumentUserPermission, DocumentGroupPermission)
        if grant is None:
            return None, None, actor
        document = Document.objects.select_related("workspace").get(pk=grant.content_object_id)
        return grant, document, self.actor(self._person_for(document, chance))

    def _grant_change(self, actor: Actor, _: Document | None, chance: random.Random) -> None:
        grant, document, actor = self._some_granted(actor, chance)
        if grant is not None:
            changes = {"role": self._role(chance)}
            grant_change(actor=actor, document=document, grant=grant, changes=changes)

    def _grant_remove(self, actor: Actor, _: Document | None, chance: random.Random) -> None:
        grant, document, actor = self._some_granted(actor, chance)
        if grant is not None:
            grant_remove(actor=actor, document=document, grant=grant)

    def _some_member(self, actor: Actor, chance: random.Random) -> tuple[Any, Actor]:
        member = self._some_grant(chance, WorkspaceUserPermission, WorkspaceGroupPermission)
        numbers = [number for number, room in enumerate(self.rooms) if room.pk == member.content_object_id]
        return member, chance.choice([actor, *(self.actor(self.people[number]) for number in numbers * 2)])

    def _member_change(self, actor: Actor, _: Document | None, chance: random.Random) -> None:
        member, actor = self._some_member(actor, chance)
        changes = {"role": self._role(chance)}
        member_change(actor=actor, workspace=member.content_object, member=member, changes=changes)

    def _member_remove(self, actor: Actor, _: Document | None, chance: random.Random) -> None:
        member, actor = self._some_member(actor, chance)
        member_remove(actor=actor, workspace=member.content_object, member=member)

    def _join(self, actor: Actor, _: Document | None, chance: random.Random) -> None:
        chance.choice(self.teams).group.user_set.add(chance.choice(self.people))

    def _leave(self, actor: Actor, _: Document | None, chance: random.Random) -> None:
        chance.choice(self.teams).group.user_set.remove(chance.choice(self.people))
