"""What jobs ask of the floors above: the actor of a stored job, with the rights of now; whether to wait."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any, Protocol

from cloudscribe.jobs.exceptions import CredentialRevoked
from cloudscribe.lib.actor import Actor, ActorKind, CredentialKind, Limit


@dataclasses.dataclass(frozen=True, slots=True)
class StoredActor:
    """Who asked for a job and how far the credential reached then; rights are rebuilt, not stored."""

    kind: ActorKind
    uid: uuid.UUID | None
    name: str
    credential_kind: CredentialKind
    credential_uid: uuid.UUID | None
    scopes: frozenset[str] | None
    authenticated_at: dt.datetime | None
    on_behalf_of: uuid.UUID | None
    limit: Limit | None

    @classmethod
    def of(cls, actor: Actor) -> StoredActor:
        """What of `actor` is kept."""
        return cls(
            kind=actor.kind,
            uid=actor.uid,
            name=actor.name,
            credential_kind=actor.credential_kind,
            credential_uid=actor.credential_uid,
            scopes=actor.scopes,
            authenticated_at=actor.authenticated_at,
            on_behalf_of=actor.on_behalf_of,
            limit=actor.limit,
        )

    def to_json(self) -> dict[str, Any]:
        """As a JSON object, for the job's row."""
        return {
            "kind": self.kind.value,
            "uid": str(self.uid) if self.uid else None,
            "name": self.name,
            "credential_kind": self.credential_kind.value,
            "credential_uid": str(self.credential_uid) if self.credential_uid else None,
            "scopes": sorted(self.scopes) if self.scopes is not None else None,
            "authenticated_at": self.authenticated_at.isoformat() if self.authenticated_at else None,
            "on_behalf_of": str(self.on_behalf_of) if self.on_behalf_of else None,
            "limit": self.limit.to_json() if self.limit else None,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> StoredActor:
        """The inverse of `to_json`."""
        at = data["authenticated_at"]
        return cls(
            kind=ActorKind(data["kind"]),
            uid=_uuid(data["uid"]),
            name=data["name"],
            credential_kind=CredentialKind(data["credential_kind"]),
            credential_uid=_uuid(data["credential_uid"]),
            scopes=frozenset(data["scopes"]) if data["scopes"] is not None else None,
            authenticated_at=dt.datetime.fromisoformat(at) if at else None,
            on_behalf_of=_uuid(data["on_behalf_of"]),
            limit=Limit.from_json(data["limit"]) if data["limit"] else None,
        )

    def as_job(self, job_uid: uuid.UUID | None, now: dt.datetime) -> Actor:
        """The job itself as the actor: for what no person asked, and while it isn't known who may act."""
        return Actor(
            kind=ActorKind.JOB,
            uid=self.uid,
            pk=None,
            name=self.name,
            credential_kind=CredentialKind.JOB,
            credential_uid=job_uid,
            now=now,
            on_behalf_of=self.on_behalf_of,
        )


def _uuid(text: str | None) -> uuid.UUID | None:
    return uuid.UUID(text) if text else None


class ActorRebuilder(Protocol):
    """Answers with the actor of a job: the person's rights of now, cut by the stored limit and scopes."""

    def __call__(self, stored: StoredActor, *, job_uid: uuid.UUID, now: dt.datetime) -> Actor:
        """The actor, with credential kind `job` and `job_uid`, at the database's `now`.

        Raises CredentialRevoked where the session, token or link was revoked (running out is no reason), and
        where the person may not sign in any more.
        """


class _RebuilderPort:
    """Holds the provider; without one every job of a person is refused."""

    def __init__(self) -> None:
        self._provider: ActorRebuilder | None = None

    def provide(self, provider: ActorRebuilder) -> None:
        """Fill the port; called in the `ready()` of the app that knows people."""
        self._provider = provider

    def __call__(self, stored: StoredActor, *, job_uid: uuid.UUID, now: dt.datetime) -> Actor:
        """Ask; CredentialRevoked where nobody can answer."""
        if self._provider is None:
            raise CredentialRevoked
        return self._provider(stored, job_uid=job_uid, now=now)


actor_rebuilder = _RebuilderPort()


class _HoldPort:
    """Whether background work waits; without a provider it does."""

    def __init__(self) -> None:
        self._provider: Callable[[], bool] | None = None

    def provide(self, provider: Callable[[], bool]) -> None:
        """Fill the port; called in the `ready()` of the app that knows of reasons to wait."""
        self._provider = provider

    def __call__(self) -> bool:
        """Whether nothing may be begun at present; what was begun before comes to its end."""
        return self._provider is None or self._provider()


work_is_held = _HoldPort()
