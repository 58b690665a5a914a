"""Proving once more who one is, on the session at hand."""

from __future__ import annotations

from django.db.models.functions import Now

from accounts.actors import person_pk, session_uid
from accounts.exceptions import InvalidCredentials
from accounts.factors import PASSWORD
from accounts.models import Session, User
from accounts.passwords import password_matches
from accounts.services.limiter import attempt_fail, attempt_forgive, attempt_open
from audit.denials import denial_record
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional


def step_up(*, actor: Actor, password: str, address: str) -> Session:
    """Date the last proof of the actor's session anew; gives the session.

    Raises SignInLimited and InvalidCredentials: whoever holds a stolen access token must not guess here. A
    wrong proof ends no session.
    """
    user = User.objects.get(pk=person_pk(actor))
    attempt = attempt_open(email_key=user.email_key, address=address)
    session = _stepped_up(actor=actor, user=user) if password_matches(password, user.password) else None
    if session is None:
        attempt_fail(attempt)
        target = Target("user", user.uid, user.name)
        denial_record(
            actor=actor,
            action="session.step_up_failed",
            target=target,
            route="step-up",
            code=InvalidCredentials.code,
        )
        raise InvalidCredentials
    attempt_forgive(attempt)
    return session


@transactional
def _stepped_up(*, actor: Actor, user: User) -> Session | None:
    # Compared again under the lock: a password that was changed meanwhile proves nothing.
    row = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    session = (
        Session.objects.select_for_update(no_key=True)
        .filter(uid=session_uid(actor), user_id=row.pk, revoked_at=None)
        .first()
    )
    if session is None or not row.is_active or row.password != user.password:
        return None
    shown = [PASSWORD]
    session.factors = sorted({*session.factors, *shown})
    Session.objects.filter(pk=session.pk).update(authenticated_at=Now(), factors=session.factors)
    event_record(
        actor=actor,
        action="session.stepped_up",
        target=Target("session", session.uid, session.device),
        facts={"factors": shown},
    )
    session.refresh_from_db(fields=["authenticated_at"])
    return session
