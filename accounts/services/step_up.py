"""Proving once more who one is, on the session at hand."""

from __future__ import annotations

from typing import Any

from django.db.models.functions import Now

from accounts.actors import person_pk, session_uid
from accounts.exceptions import InvalidCredentials, SecondFactorRequired
from accounts.factors import PASSWORD, RECOVERY, SECOND, factors_of
from accounts.models import Session, User
from accounts.passwords import password_matches
from accounts.services.limiter import attempt_fail, attempt_forgive, attempt_open, attempt_withdraw
from accounts.services.otp import otp_use, recovery_use_tell
from audit.denials import denial_record
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional


def step_up(*, actor: Actor, address: str, password: str = "", otp: str = "") -> Session:
    """Date the last proof of the actor's session anew; gives the session.

    Whoever has a second factor shows that, with or without the password: SecondFactorRequired for the
    password alone. Raises SignInLimited and InvalidCredentials: whoever holds a stolen access token must not
    guess here. A wrong proof ends no session.
    """
    user = User.objects.get(pk=person_pk(actor))
    attempt = attempt_open(email_key=user.email_key, address=address)
    right = not password or password_matches(password, user.password)
    try:
        session = _stepped_up(actor=actor, user=user, password=password, otp=otp) if right else None
    except SecondFactorRequired:
        attempt_withdraw(attempt)
        raise
    if session is None:
        attempt_fail(attempt)
        _note_failure(actor, user)
        raise InvalidCredentials("This proves nothing: it is wrong or was used before.")
    attempt_forgive(attempt)
    return session


def _note_failure(actor: Actor, user: User) -> None:
    target, code = Target("user", user.uid, user.name), InvalidCredentials.code
    denial_record(actor=actor, action="session.step_up_failed", target=target, route="step-up", code=code)


@transactional
def _stepped_up(*, actor: Actor, user: User, password: str, otp: str) -> Session | None:
    # Compared again under the lock: a password that was changed meanwhile proves nothing.
    row: Any = User.objects.select_for_update(no_key=True).annotate(clock=Now()).get(pk=user.pk)
    if not row.is_active or row.password != user.password:
        return None
    factor = otp_use(user=row, otp=otp, now=row.clock) if otp else None
    shown = [name for name in (PASSWORD if password else None, factor) if name]
    if not shown or (otp and factor is None):
        return None
    has = factors_of(row.pk)
    if has.enrolled and not SECOND.intersection(shown):
        raise SecondFactorRequired(extra={"factors": has.names})
    return session_prove(actor=actor, user=row, shown=shown)


def session_prove(*, actor: Actor, user: User, shown: list[str]) -> Session | None:
    """Write the proof to the actor's session, in the caller's transaction; None where that has ended."""
    session = (
        Session.objects.select_for_update(no_key=True)
        .filter(uid=session_uid(actor), user_id=user.pk, revoked_at=None)
        .first()
    )
    if session is None:
        return None
    session.factors = sorted({*session.factors, *shown})
    Session.objects.filter(pk=session.pk).update(authenticated_at=Now(), factors=session.factors)
    session.refresh_from_db(fields=["authenticated_at"])
    event_record(
        actor=actor,
        action="session.stepped_up",
        target=Target("session", session.uid, session.device),
        facts={"factors": shown},
    )
    if RECOVERY in shown:
        recovery_use_tell(actor=actor, user=user)
    return session
