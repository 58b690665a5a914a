"""What accounts asks of the floor above; whoever knows the answer fills a port in its `ready()`."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Generic, Protocol, TypeVar

from accounts.models import Team, User
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound

P = TypeVar("P")


@dataclasses.dataclass(frozen=True, slots=True)
class Place:
    """A workspace or a document as a credential's limit names it."""

    pk: int
    uid: uuid.UUID
    name: str
    workspace_pk: int
    workspace_uid: uuid.UUID


class Port(Generic[P]):
    """Holds a provider; without one every question is answered by NotFound."""

    def __init__(self) -> None:
        self._provider: P | None = None

    def provide(self, provider: P) -> None:
        """Fill the port; called in the `ready()` of the app that knows."""
        self._provider = provider

    @property
    def ask(self) -> P:
        """The provider; raises NotFound where there is none."""
        if self._provider is None:
            raise NotFound
        return self._provider


class Places(Protocol):
    """Where people keep what they write."""

    def workspace(self, actor: Actor, uid: uuid.UUID) -> Place:
        """The workspace, if the actor may see it; raises NotFound."""

    def document(self, actor: Actor, uid: uuid.UUID) -> Place:
        """The document, if the actor may see it; raises NotFound."""

    def may_make_services(self, actor: Actor, workspace: uuid.UUID) -> bool:
        """Whether the actor is an owner of the workspace; raises NotFound for one that they don't see."""

    def owned(self, actor: Actor) -> list[int]:
        """The keys of the workspaces that the actor owns."""

    def forsake(self, actor: Actor, user: User) -> None:
        """Take away all that a user was granted, within the caller's transaction, with an event each.

        Raises LastOwner where that would leave a workspace without an owner.
        """


places: Port[Places] = Port()


class Invitations(Protocol):
    """Who was asked to come."""

    def is_open(self, email_key: str) -> bool:
        """Whether an invitation of somebody who may still give it waits for the owner of the address."""


invitations: Port[Invitations] = Port()


class TeamAccess(Protocol):
    """What teams were granted, and whom one can put into them."""

    def knows(self, actor: Actor, person: User) -> bool:
        """Whether the actor shares a workspace with the person."""

    def grants_remove(self, actor: Actor, team: Team) -> None:
        """Take away all that the team was granted, within the caller's transaction, with an event each.

        Leaves the team locked, so that nothing can be granted to it any more.
        """


team_access: Port[TeamAccess] = Port()


class Exports(Protocol):
    """What else belongs into a person's export."""

    def count(self, actor: Actor) -> int:
        """About how many parts there are, for the progress."""

    def parts(self, actor: Actor) -> Iterator[tuple[str, Iterable[bytes]]]:
        """Files, each by its name in the archive and its content in pieces; all by the rights of then."""


exports: Port[Exports] = Port()


class Handover(Protocol):
    """What a leaver answers for, and who answers for it then."""

    def owners_check(self, actor: Actor, user: User) -> None:
        """Raise LastOwner, naming the workspaces that would be left without an active owner.

        Locks them until the end of the caller's transaction.
        """

    def hold_check(self, user: User) -> None:
        """Raise a refusal where a legal hold stands on anything that the person had a hand in."""

    def transfer(self, actor: Actor, user: User, receiver: User | None) -> None:
        """Hand over what the user owns and take away all that they were granted, with events.

        Within the caller's transaction, to `receiver` or, where that isn't possible, to the owners of each
        workspace. Leaves the user's row locked, so that nothing can be granted to them any more. Raises
        LastOwner that names the workspaces of which nobody would be owner.
        """


handover: Port[Handover] = Port()


class Notices(Protocol):
    """What notifications are about."""

    def titles(
        self, actor: Actor, named: Collection[tuple[str, uuid.UUID]]
    ) -> Mapping[tuple[str, uuid.UUID], str]:
        """Titles by type (`document`, `workspace`) and id, of those alone that the actor may see now."""


notices: Port[Notices] = Port()


@dataclasses.dataclass(frozen=True, slots=True)
class TeamEffect:
    """A place where somebody has `role` with a team, and `otherwise`, None for nothing, without it."""

    user: uuid.UUID
    type: str
    uid: uuid.UUID
    name: str
    role: str
    otherwise: str | None


class TeamEffects(Protocol):
    """What being in a team gives."""

    def of(self, actor: Actor, team: Team, people: Collection[User], most: int) -> list[TeamEffect]:
        """Where it makes a difference to them, of the places that the actor may see: `most` at most."""


team_effects: Port[TeamEffects] = Port()
