"""Making actors: of a signed-in person, of a command that works for one, of a stored job."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid

from django.db import connection

from accounts.models import Session, Token, User
from cloudscribe.jobs.exceptions import CredentialRevoked
from cloudscribe.jobs.ports import StoredActor
from cloudscribe.lib.actor import AccessKey, Actor, ActorKind, CredentialKind
from cloudscribe.lib.errors import NotAuthenticated, NotFound
from cloudscribe.lib.postgresql.compiled import CompiledQuery

_RIGHTS = """
SELECT u.id, u.uid, u.kind, u.name, us.stamp,
       (SELECT coalesce(sum(gs.stamp), 0)::bigint FROM accounts_user_groups m
        JOIN accounts_groupstamp gs ON gs.group_id = m.group_id WHERE m.user_id = u.id),
       (SELECT coalesce(max(number), 0) FROM audit_epoch),
       statement_timestamp()
FROM accounts_user u JOIN accounts_userstamp us ON us.user_id = u.id
WHERE u.is_active AND u.uid = %s
"""

_CREDENTIALS: dict[CredentialKind, type[Session | Token]] = {
    CredentialKind.SESSION: Session,
    CredentialKind.TOKEN: Token,
}

_PERSON_HELD = CompiledQuery(
    lambda pk: User.objects.select_for_update(no_key=True).filter(pk=pk, is_active=True), pk=int
)


def stranger(name: str, now: dt.datetime) -> Actor:
    """Nobody yet: the actor of work that somebody asks for who isn't signed in; `name` says which work."""
    return Actor(
        kind=ActorKind.COMMAND,
        uid=None,
        pk=None,
        name=name,
        credential_kind=CredentialKind.COMMAND,
        credential_uid=None,
        now=now,
    )


def session_actor(user: User, session: uuid.UUID, now: dt.datetime) -> Actor:
    """The actor of a session that is being made or ended, for its event."""
    return Actor(
        kind=ActorKind.USER,
        uid=user.uid,
        pk=user.pk,
        name=user.name,
        credential_kind=CredentialKind.SESSION,
        credential_uid=session,
        now=now,
        authenticated_at=now,
    )


def proven_actor(user: User, proof: uuid.UUID, now: dt.datetime) -> Actor:
    """The person of whom no session speaks but what proved their address: a mailed token, a provider."""
    return Actor(
        kind=ActorKind.USER,
        uid=user.uid,
        pk=user.pk,
        name=user.name,
        credential_kind=CredentialKind.TOKEN,
        credential_uid=proof,
        now=now,
    )


def person_pk(actor: Actor) -> int:
    """The key of the person who acts; raises NotAuthenticated for an actor without one."""
    if actor.pk is None:
        raise NotAuthenticated
    return actor.pk


def person_held(actor: Actor) -> User:
    """The actor's own row, locked until the end of the caller's transaction.

    Raises NotAuthenticated for an actor without one, and for one who was kept out, or has left, while the
    request was on its way.
    """
    row = _PERSON_HELD.first(pk=person_pk(actor))
    if row is None:
        raise NotAuthenticated
    return row


def session_uid(actor: Actor) -> uuid.UUID:
    """The id of the session at hand; raises NotAuthenticated for an actor without one."""
    if actor.credential_kind != CredentialKind.SESSION or actor.credential_uid is None:
        raise NotAuthenticated
    return actor.credential_uid


def actor_for_command(user: User, command: str) -> Actor:
    """An operator's command that works under the rights which `user` has now, without a cut.

    Raises CredentialRevoked for a user who may not sign in.
    """
    actor = _person(user.uid)
    if actor is None:
        raise CredentialRevoked("This user may not sign in.")
    return dataclasses.replace(
        actor, name=f"{actor.name} ({command})", kind=ActorKind.COMMAND, on_behalf_of=user.uid
    )


def service_actor(user: User) -> Actor:
    """A user, mostly a service account, with the rights of now: to see what they see, never to write by.

    Raises NotFound for one that may not sign in.
    """
    actor = _person(user.uid)
    if actor is None:
        raise NotFound
    return actor


def reader_of(user: uuid.UUID) -> Actor | None:
    """A person with the rights of now, as the one who is to read a mail; never to write by.

    None for one who may not sign in.
    """
    return _person(user)


def actor_of_job(stored: StoredActor, *, job_uid: uuid.UUID, now: dt.datetime) -> Actor:
    """The actor of a stored job: the person's rights of now, cut by the stored limit (jobs' port).

    Raises CredentialRevoked where the session or token was revoked or the person may not sign in any more;
    one that only ran out is no reason.
    """
    if stored.uid is None:
        return Actor(
            kind=ActorKind.JOB,
            uid=None,
            pk=None,
            name=stored.name,
            credential_kind=CredentialKind.JOB,
            credential_uid=job_uid,
            now=now,
        )
    person = _person(stored.uid)
    if person is None or _revoked(stored):
        raise CredentialRevoked
    return dataclasses.replace(
        person,
        credential_kind=CredentialKind.JOB,
        credential_uid=job_uid,
        now=now,
        scopes=stored.scopes,
        authenticated_at=stored.authenticated_at,
        on_behalf_of=stored.on_behalf_of,
        limit=stored.limit,
    )


def _person(uid: uuid.UUID) -> Actor | None:
    with connection.cursor() as cursor:
        cursor.execute(_RIGHTS, [uid])
        row = cursor.fetchone()
    if row is None:
        return None
    pk, uid, kind, name, user_stamp, group_stamps, epoch, now = row
    return Actor(
        kind=ActorKind.USER if kind == User.Kind.PERSON else ActorKind.SERVICE,
        uid=uid,
        pk=pk,
        name=name,
        credential_kind=CredentialKind.COMMAND,
        credential_uid=None,
        now=now,
        access_key=AccessKey(user_stamp, group_stamps, epoch),
    )


def _revoked(stored: StoredActor) -> bool:
    # A row that is gone ran out long ago; it was not taken from anybody.
    rows = _CREDENTIALS.get(stored.credential_kind)
    if rows is None or stored.credential_uid is None:
        return False
    return rows.objects.filter(uid=stored.credential_uid, revoked_at__isnull=False).exists()
