"""Who acts: one frozen value that every service, policy, job and audit event is given."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from cloudscribe.lib.errors import NotAuthenticated


class ActorKind(enum.StrEnum):
    """What kind of party acts."""

    COMMAND = "command"
    JOB = "job"
    LINK = "link"
    SERVICE = "service"
    USER = "user"


class CredentialKind(enum.StrEnum):
    """By what the actor proved who it is."""

    COMMAND = "command"
    JOB = "job"
    LINK = "link"
    SESSION = "session"
    TOKEN = "token"  # noqa: S105 (a kind, not a secret)


@dataclasses.dataclass(frozen=True, slots=True)
class AccessKey:
    """The stamps under which the actor's rights were computed.

    They stay apart and are never added up: user 5 + groups 1 and user 6 + groups 0 are different rights.
    `settled` is False for stamps that an open transaction has read, maybe its own: rolled back, another
    change reaches the same numbers, so nothing is kept under them.
    """

    user_stamp: int
    group_stamps: int
    epoch: int
    settled: bool = dataclasses.field(default=True, compare=False)


@dataclasses.dataclass(frozen=True, slots=True)
class Limit:
    """What a token, link or stored job narrows the person's rights to; None leaves a side open."""

    workspace_pk: int | None = None
    document_pk: int | None = None
    whole_subtree: bool = True
    actions: int | None = None

    def to_json(self) -> dict[str, Any]:
        """The limit as a JSON object, for a job's row."""
        return dataclasses.asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Limit:
        """The inverse of `to_json`."""
        return cls(**data)


@dataclasses.dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, by which credential, at which moment of the database's clock, within which limit.

    `pk` is the user row's key, None for a link or an operator's command without a person. `scopes` None means
    everything that the person may do (a session); a token carries a set. `now` is the database's clock at
    sign-in: whatever expires is judged by it, never by a worker's own clock.
    """

    kind: ActorKind
    uid: uuid.UUID | None
    pk: int | None
    name: str
    credential_kind: CredentialKind
    credential_uid: uuid.UUID | None
    now: dt.datetime
    access_key: AccessKey | None = None
    scopes: frozenset[str] | None = None
    authenticated_at: dt.datetime | None = None
    on_behalf_of: uuid.UUID | None = None
    limit: Limit | None = None

    def has_scope(self, scope: str) -> bool:
        """Whether the credential reaches as far as `scope`; a session has every scope."""
        return self.scopes is None or scope in self.scopes

    def reference(self) -> dict[str, Any]:
        """The actor as answers show it: `kind`, `id` and `name`."""
        return {"kind": self.kind.value, "id": self.uid, "name": self.name}


_current: ContextVar[Actor | None] = ContextVar("cloudscribe_actor", default=None)


def current_actor() -> Actor | None:
    """The actor of this thread of execution, None before sign-in."""
    return _current.get()


def set_actor(actor: Actor | None) -> None:
    """Name the actor for the rest of this request; the request middleware clears it at the end."""
    _current.set(actor)


@contextmanager
def acting_as(actor: Actor) -> Iterator[Actor]:
    """Run a block as `actor` (jobs, commands, the admin) and put back who acted before."""
    token = _current.set(actor)
    try:
        yield actor
    finally:
        _current.reset(token)


def actor_of(request: Any) -> Actor:
    """The actor whom authentication put on a DRF request.

    Raises NotAuthenticated where nobody signed in.
    """
    actor = getattr(request, "auth", None)
    if not isinstance(actor, Actor):
        raise NotAuthenticated
    return actor


def command_actor(name: str, now: dt.datetime) -> Actor:
    """The actor of a management command: the operator at the shell, under the command's name."""
    return Actor(
        kind=ActorKind.COMMAND,
        uid=None,
        pk=None,
        name=name,
        credential_kind=CredentialKind.COMMAND,
        credential_uid=None,
        now=now,
    )
