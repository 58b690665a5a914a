"""Signing in and out: sessions are made, renewed and ended here."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import uuid
from typing import Any

from django.conf import settings
from django.db.models import Exists, ExpressionWrapper, F, OuterRef, Q, fields
from django.db.models.functions import Now
from uuid_utils.compat import uuid7

from accounts.access_tokens import SessionAccessToken
from accounts.actors import person_pk, session_actor
from accounts.exceptions import (
    EnrollmentRequired,
    InvalidCredentials,
    InvalidRefreshToken,
    SecondFactorRequired,
)
from accounts.factors import PASSWORD, RECOVERY, factors_of
from accounts.models import EmailChange, Session, User
from accounts.notifications import SESSION_REUSED
from accounts.passwords import password_hash, password_matches, password_needs_rehash
from accounts.refresh_tokens import RefreshToken
from accounts.services.arrivals import arrival_tell
from accounts.services.limiter import (
    Attempt,
    attempt_fail,
    attempt_forgive,
    attempt_open,
    attempt_withdraw,
)
from accounts.services.mail import mail_request
from accounts.services.notifications import News, notify
from accounts.services.otp import otp_use, recovery_use_tell
from audit.denials import denial_record
from audit.services import Entry, Target, event_record, events_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.emails import canonical_email
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.postgresql.compiled import CompiledQuery
from cloudscribe.lib.transactions import transactional

ADMIN_IDLE_LIFETIME = dt.timedelta(hours=12)
ADMIN_LIFETIME = dt.timedelta(days=7)

_ALIVE = Q(
    revoked_at__isnull=True,
    expires_at__gt=Now(),
    last_used_at__gt=ExpressionWrapper(Now() - F("idle_lifetime"), output_field=fields.DateTimeField()),
)

_BY_EMAIL = CompiledQuery(
    lambda email_key: User.objects.filter(email_key=email_key, kind=User.Kind.PERSON), email_key=str
)


@dataclasses.dataclass(frozen=True, slots=True)
class Credentials:
    """What a sign-in or a refresh gives: the session, its user and both tokens (no refresh for the admin)."""

    session: Session
    user: User
    access: str
    refresh: str = dataclasses.field(repr=False)


def sign_in(
    *,
    email: str,
    password: str,
    address: str,
    device: str,
    kind: Session.Kind = Session.Kind.USER,
    otp: str = "",
) -> Credentials:
    """Make a session for whoever knows the password and, where the person has a second factor, the code.

    Raises SignInLimited, ServiceUnavailable (too many at once) and InvalidCredentials, the same for an
    unknown address, a wrong password and a suspended user, after the same work. Once the password was right:
    SecondFactorRequired without a code, InvalidCredentials for a wrong or used one. The hash is computed
    outside of any transaction.
    """
    email_key = canonical_email(email)
    attempt = attempt_open(email_key=email_key, address=address)
    user = _BY_EMAIL.first(email_key=email_key)
    right = password_matches(password, user.password if user else None)
    if user is None or not right or not user.is_active or (kind == Session.Kind.ADMIN and not user.is_staff):
        _note_failure(user, attempt)
        raise InvalidCredentials
    renewed = password_hash(password) if password_needs_rehash(user.password) else user.password
    try:
        return _session_open(
            user=user, attempt=attempt, new_hash=renewed, otp=otp, address=address, device=device, kind=kind
        )
    except InvalidCredentials:
        _note_failure(user, attempt)
        raise
    except (SecondFactorRequired, EnrollmentRequired):
        # Neither a failure nor a success: what failed before keeps counting.
        attempt_withdraw(attempt)
        raise


def _note_failure(user: User | None, attempt: Attempt) -> None:
    # What was typed is not kept: many a password ends up in the field above its own. An unknown account has a
    # made-up id of its own, so that its failures are written as often as a real one's and take as long.
    made_up = uuid.UUID(bytes=attempt.account[:16])
    target = Target("user", user.uid, user.name) if user else Target("unknown_user", made_up, "")
    attempt_fail(attempt)
    code = InvalidCredentials.code
    denial_record(actor=None, action="login.failed", target=target, route="sign-in", code=code)


@transactional
def _session_open(
    *,
    user: User,
    attempt: Attempt,
    new_hash: str,
    otp: str,
    address: str,
    device: str,
    kind: Session.Kind,
) -> Credentials:
    # The row is locked and compared: a password changed or a user suspended while the hash was computed must
    # not be answered with a session.
    row: Any = User.objects.select_for_update(no_key=True).annotate(clock=Now()).get(pk=user.pk)
    if row.password != user.password or not row.is_active:
        raise InvalidCredentials
    factors = [PASSWORD, *second_factor_ask(row, otp, kind)]
    if new_hash != row.password:
        User.objects.filter(pk=row.pk).update(password=new_hash)
    attempt_forgive(attempt)
    return session_create(user=row, factors=factors, address=address, device=device, kind=kind)


def second_factor_ask(user: Any, otp: str, kind: Session.Kind) -> list[str]:
    """The factor that the code proves, none where none is asked for, in the caller's transaction.

    `user` is a locked row that says the `clock`. Raises SecondFactorRequired without a code,
    InvalidCredentials for a wrong one, EnrollmentRequired at the admin's door.
    """
    has = factors_of(user.pk)
    if not has.enrolled:
        # The API lets them in as far as setting one up; the admin has no page for that.
        if has.required and kind == Session.Kind.ADMIN:
            raise EnrollmentRequired
        return []
    if not otp:
        raise SecondFactorRequired(extra={"factors": has.names})
    factor = otp_use(user=user, otp=otp, now=user.clock)
    if factor is None:
        raise InvalidCredentials("The code is wrong or was used before.")
    return [factor]


def session_create(
    *, user: Any, factors: list[str], address: str, device: str, kind: Session.Kind = Session.Kind.USER
) -> Credentials:
    """A session of `user`, whose locked row says the `clock`, within the caller's transaction."""
    now, admin, uid = user.clock, kind == Session.Kind.ADMIN, uuid7()
    token = RefreshToken.first(uid)
    session = Session.objects.create(
        uid=uid,
        user=user,
        kind=kind,
        device=device,
        address=address or None,
        created_at=now,
        last_used_at=now,
        authenticated_at=now,
        factors=factors,
        expires_at=now + (ADMIN_LIFETIME if admin else dt.timedelta(seconds=settings.SESSION_LIFETIME)),
        idle_lifetime=ADMIN_IDLE_LIFETIME if admin else dt.timedelta(seconds=settings.SESSION_IDLE_LIFETIME),
        secret_hash=None if admin else token.secret_hash(),
        key_id="" if admin else token.kid,
    )
    actor = session_actor(user, uid, now)
    event_record(
        actor=actor,
        action="session.created",
        target=Target("session", uid, device),
        changes={"kind": (None, str(kind))},
        facts={"factors": factors},
    )
    if RECOVERY in factors:
        recovery_use_tell(actor=actor, user=user)
    arrival_tell(actor=actor, session=session)
    return _credentials(session, user, None if admin else token)


def _credentials(session: Session, user: User, token: RefreshToken | None) -> Credentials:
    access = SessionAccessToken.issue(user=user.uid, session=session.uid)
    return Credentials(session, user, access, str(token) if token else "")


def session_refresh(*, refresh: str) -> Credentials:
    """A fresh access token and the refresh token that follows `refresh`.

    Raises InvalidRefreshToken. A token that was used before gives its successor again within the grace, as
    long as that one is unused; later it ends the session, for then two hold it and one of them stole it.
    """
    token = RefreshToken.parse(refresh)
    credentials = _refresh(token=token) if token else None
    if credentials is None:
        raise InvalidRefreshToken
    return credentials


@transactional
def _refresh(*, token: RefreshToken) -> Credentials | None:
    # One conditional UPDATE rotates: of many that race with one token a single one finds the row as it was.
    successor = token.successor(settings.KEY_RING.active_kid)
    rotated = Session.objects.filter(
        _ALIVE,
        Exists(User.objects.filter(pk=OuterRef("user_id"), is_active=True)),
        uid=token.session,
        kind=Session.Kind.USER,
        counter=token.counter,
        secret_hash=token.secret_hash(),
    ).update(
        counter=successor.counter,
        previous_secret_hash=F("secret_hash"),
        secret_hash=successor.secret_hash(),
        key_id=successor.kid,
        rotated_at=Now(),
        last_used_at=Now(),
    )
    session: Any = (
        Session.objects.select_for_update(no_key=True, of=("self",))
        .select_related("user")
        .filter(uid=token.session, kind=Session.Kind.USER)
        .annotate(clock=Now(), alive=ExpressionWrapper(_ALIVE, output_field=fields.BooleanField()))
        .first()
    )
    if session is None:
        return None
    if rotated:
        return _credentials(session, session.user, successor)
    verdict = _judge(session, token)
    if verdict is _Verdict.REUSED:
        _end_for_reuse(session)
    if verdict is _Verdict.AGAIN:
        return _credentials(session, session.user, token.successor(session.key_id))
    return None


class _Verdict(enum.Enum):
    AGAIN = enum.auto()
    REFUSED = enum.auto()
    REUSED = enum.auto()


def _judge(session: Any, token: RefreshToken) -> _Verdict:
    """What to do with a token of ours that is not the live one."""
    if not session.alive or not session.user.is_active or token.counter >= session.counter:
        return _Verdict.REFUSED
    grace = dt.timedelta(seconds=settings.REFRESH_GRACE)
    just_used = (
        token.counter == session.counter - 1
        and bytes(session.previous_secret_hash or b"") == token.secret_hash()
        and session.clock < session.rotated_at + grace
    )
    return _Verdict.AGAIN if just_used else _Verdict.REUSED


def _end_for_reuse(session: Any) -> None:
    actor = session_actor(session.user, session.uid, session.clock)
    _revoke(session.pk, "reuse")
    address_wishes_void(session.user_id)
    event_record(
        actor=actor,
        action="session.revoked",
        target=Target("session", session.uid, session.device),
        reason="a refresh token was used a second time",
    )
    mail_request(session.clock, "session_reused", session.uid)
    facts = {"name": session.device}
    news = News(SESSION_REUSED, target_type="session", target_uid=session.uid, facts=facts)
    notify(actor=actor, users=[session.user_id], news=news)


@transactional
def session_revoke(*, actor: Actor, session: uuid.UUID, reason: str = "revoked") -> None:
    """End one of the actor's own sessions, from the next request on; raises NotFound for any other."""
    row = (
        Session.objects.select_for_update(no_key=True)
        .filter(_ALIVE, uid=session, user_id=person_pk(actor))
        .first()
    )
    if row is None:
        raise NotFound
    _revoke(row.pk, reason)
    if row.uid != actor.credential_uid:
        address_wishes_void(row.user_id)
    event_record(
        actor=actor, action="session.revoked", target=Target("session", row.uid, row.device), reason=reason
    )


@transactional
def sessions_revoke_others(*, actor: Actor, reason: str = "revoked") -> int:
    """End all of the actor's sessions but the one at hand; gives their number."""
    return sessions_end(actor=actor, user_pk=person_pk(actor), reason=reason, keep=actor.credential_uid)


def sessions_end(*, actor: Actor, user_pk: int, reason: str, keep: uuid.UUID | None = None) -> int:
    """End the live sessions of a user but `keep`, within the caller's transaction; gives their number."""
    ending = Session.objects.filter(_ALIVE, user_id=user_pk)
    if keep is not None:
        ending = ending.exclude(uid=keep)
    rows = list(ending.select_for_update(no_key=True).order_by("pk"))
    Session.objects.filter(pk__in=[row.pk for row in rows]).update(revoked_at=Now(), revoked_reason=reason)
    address_wishes_void(user_pk)
    events_record(
        [
            Entry(actor, "session.revoked", Target("session", row.uid, row.device), reason=reason)
            for row in rows
        ]
    )
    return len(rows)


def address_wishes_void(user_pk: int) -> None:
    """Let nobody get the account by an address that they asked for while a session was in their hands."""
    EmailChange.objects.filter(user_id=user_pk, confirmed_at__isnull=True).delete()


def _revoke(pk: int, reason: str) -> None:
    Session.objects.filter(pk=pk).update(revoked_at=Now(), revoked_reason=reason)
