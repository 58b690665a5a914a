"""Reads of accounts: the one query that every signed-in request makes."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from collections.abc import Collection
from typing import Any

from django.db import connection
from django.db.models import DateTimeField, ExpressionWrapper, F, Q, QuerySet
from django.db.models.functions import Now

from accounts.actors import person_pk
from accounts.models import Session, Token, User
from accounts.ports import places
from accounts.principals import Principal
from cloudscribe.lib.actor import AccessKey, Actor, ActorKind, CredentialKind, Limit
from cloudscribe.lib.emails import canonical_email
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.postgresql.arrays import array_text
from cloudscribe.lib.postgresql.base import prepared_rows
from cloudscribe.lib.postgresql.compiled import CompiledQuery

MANAGE_SERVICES = "accounts.manage_service_accounts"

# What each credential's row brings along: the user, the stamps of their rights, whether a role of theirs asks
# for a second factor that they don't have, and the database's clock. A user without a stamp isn't found:
# rights that can't be dated are no rights.
_USER_COLUMNS = """
       u.id, u.uid, u.kind, u.name, u.is_staff, u.is_superuser, us.stamp,
       (SELECT coalesce(sum((SELECT gs.stamp FROM accounts_groupstamp gs
                             WHERE gs.group_id = m.group_id)), 0)::bigint
        FROM accounts_user_groups m WHERE m.user_id = u.id),
       (SELECT coalesce(max(number), 0) FROM audit_epoch),
       CASE WHEN u.kind = 'person'
                 AND EXISTS (SELECT 1 FROM accounts_rolepolicy r
                             JOIN accounts_user_groups m ON m.group_id = r.group_id
                             WHERE r.second_factor AND m.user_id = u.id)
            THEN NOT EXISTS (SELECT 1 FROM accounts_totpdevice d
                             WHERE d.user_id = u.id AND d.confirmed_at IS NOT NULL)
                 AND NOT EXISTS (SELECT 1 FROM accounts_passkey p WHERE p.user_id = u.id)
            ELSE false END,
       statement_timestamp()
"""

# All of it in one statement: whatever was revoked, disabled or changed before it began holds for this one,
# whatever Redis says.
_SIGNED_IN = f"""
SELECT s.id, s.uid, s.authenticated_at, s.last_used_at, {_USER_COLUMNS}
FROM accounts_session s
JOIN accounts_user u ON u.id = s.user_id
JOIN accounts_userstamp us ON us.user_id = u.id
WHERE s.uid = %s AND s.kind = %s AND s.revoked_at IS NULL AND u.is_active
  AND s.expires_at > statement_timestamp() AND s.last_used_at + s.idle_lifetime > statement_timestamp()
"""  # noqa: S608 (a fragment of our own)

# Likewise for a token, by the hash of its secret.
_SIGNED_IN_BY_TOKEN = f"""
SELECT t.id, t.uid, t.scopes, t.workspace_pk, t.document_pk, t.cidrs, t.last_used_at, {_USER_COLUMNS}
FROM accounts_token t
JOIN accounts_user u ON u.id = t.user_id
JOIN accounts_userstamp us ON us.user_id = u.id
WHERE t.secret_hash = %s AND t.revoked_at IS NULL AND u.is_active AND t.expires_at > statement_timestamp()
"""  # noqa: S608 (as above)

_PEOPLE = "SELECT id, uid, name FROM accounts_user WHERE id = ANY(%(keys)s::bigint[])"

_ACTIVE = CompiledQuery(lambda uid: User.objects.filter(uid=uid, is_active=True), uid=uuid.UUID)


@dataclasses.dataclass(frozen=True, slots=True)
class SignedIn:
    """A live session: the actor it makes, the principal, and when the session's row says it was last used.

    `enrollment_due`: a role of the person asks for a second factor, and they have none.
    """

    actor: Actor
    principal: Principal
    session_pk: int
    last_used_at: dt.datetime
    enrollment_due: bool


def session_signed_in(session: uuid.UUID, kind: str) -> SignedIn | None:
    """Who is signed in by the live session of that kind; None where it has ended or its user is off."""
    rows = prepared_rows(_SIGNED_IN, [session, kind])
    if not rows:
        return None
    session_pk, session_uid, authenticated_at, last_used_at, pk, uid, user_kind, name = rows[0][:8]
    is_staff, is_superuser, user_stamp, group_stamps, epoch, due, now = rows[0][8:]
    actor = Actor(
        kind=ActorKind.USER if user_kind == User.Kind.PERSON else ActorKind.SERVICE,
        uid=uid,
        pk=pk,
        name=name,
        credential_kind=CredentialKind.SESSION,
        credential_uid=session_uid,
        now=now,
        access_key=AccessKey(user_stamp, group_stamps, epoch),
        authenticated_at=authenticated_at,
    )
    return SignedIn(actor, Principal(pk, uid, name, is_staff, is_superuser), session_pk, last_used_at, due)


@dataclasses.dataclass(frozen=True, slots=True)
class SignedInByToken:
    """A live token: the actor it makes, the principal, its networks and when it was last used, if ever.

    `enrollment_due` as for a session.
    """

    actor: Actor
    principal: Principal
    token_pk: int
    cidrs: list[str]
    last_used_at: dt.datetime | None
    enrollment_due: bool


def token_signed_in(secret_hash: bytes) -> SignedInByToken | None:
    """Who is signed in by the live token of that hash; None where it has ended or its user is off."""
    rows = prepared_rows(_SIGNED_IN_BY_TOKEN, [secret_hash])
    if not rows:
        return None
    token_pk, token_uid, scopes, workspace_pk, document_pk, cidrs, last_used_at = rows[0][:7]
    pk, uid, user_kind, name, is_staff, is_superuser, user_stamp, group_stamps = rows[0][7:15]
    epoch, due, now = rows[0][15:]
    cut = workspace_pk is not None or document_pk is not None
    actor = Actor(
        kind=ActorKind.USER if user_kind == User.Kind.PERSON else ActorKind.SERVICE,
        uid=uid,
        pk=pk,
        name=name,
        credential_kind=CredentialKind.TOKEN,
        credential_uid=token_uid,
        now=now,
        access_key=AccessKey(user_stamp, group_stamps, epoch),
        scopes=frozenset(scopes),
        limit=Limit(workspace_pk=workspace_pk, document_pk=document_pk) if cut else None,
    )
    principal = Principal(pk, uid, name, is_staff, is_superuser)
    return SignedInByToken(actor, principal, token_pk, cidrs, last_used_at, due)


def people_by_key(keys: Collection[int]) -> dict[int, dict[str, Any]]:
    """References to people by their keys, as answers show them."""
    rows = prepared_rows(_PEOPLE, {"keys": array_text(list(keys))}, ids_as_text=True)
    return {pk: {"kind": "user", "id": uid, "name": name} for pk, uid, name in rows}


def user_by_email(address: str) -> User | None:
    """The user of an address in any spelling, None where there is none."""
    return User.objects.filter(email_key=canonical_email(address)).first()


def database_now() -> dt.datetime:
    """The database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT statement_timestamp()")
        now: dt.datetime = cursor.fetchone()[0]
        return now


def sessions_live(user_pk: int) -> QuerySet[Session]:
    """The sessions of a user that still hold, by the database's clock."""
    return Session.objects.filter(
        user_id=user_pk,
        revoked_at__isnull=True,
        expires_at__gt=Now(),
        last_used_at__gt=ExpressionWrapper(Now() - F("idle_lifetime"), output_field=DateTimeField()),
    )


def user_tokens_live(user_pk: int) -> QuerySet[Token]:
    """The tokens of a user that still hold, by the database's clock."""
    return Token.objects.filter(user_id=user_pk, revoked_at__isnull=True, expires_at__gt=Now())


def tokens_live(actor: Actor) -> QuerySet[Token]:
    """The actor's tokens that still hold; to a token only itself and those that it minted."""
    rows = user_tokens_live(person_pk(actor))
    if actor.credential_kind != CredentialKind.TOKEN or actor.credential_uid is None:
        return rows
    return rows.filter(Q(uid=actor.credential_uid) | Q(minted_by_uid=actor.credential_uid))


def services_managed(actor: Actor, *, every: bool) -> QuerySet[User]:
    """The users of service accounts that the actor answers for: those of the workspaces that they own.

    `every` one for holders of MANAGE_SERVICES. A credential that is cut to a place manages none.
    """
    rows = User.objects.filter(kind=User.Kind.SERVICE, service__isnull=False)
    rows = rows.select_related("service__created_by")
    if actor.limit is not None:
        return rows.none()
    return rows if every else rows.filter(service__workspace_pk__in=places.ask.owned(actor))


def user_active(uid: uuid.UUID | None) -> User:
    """The user of this public id, if they may sign in; raises NotFound, also for none."""
    user = _ACTIVE.first(uid=uid) if uid else None
    if user is None:
        raise NotFound
    return user
