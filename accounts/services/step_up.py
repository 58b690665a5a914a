"""Proving once more who one is, on the session at hand."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.db.models.functions import Now

from accounts.actors import person_pk, session_uid
from accounts.exceptions import InvalidCredentials, SecondFactorRequired
from accounts.factors import PASSKEY, PASSWORD, RECOVERY, SECOND, factors_of
from accounts.models import Ceremony, Session, User
from accounts.passkeys import challenge_of
from accounts.passwords import password_matches
from accounts.services.ceremonies import ceremony_redeem
from accounts.services.limiter import attempt_fail, attempt_forgive, attempt_open, attempt_withdraw
from accounts.services.otp import otp_use, recovery_use_tell
from accounts.services.passkeys import passkey_use
from audit.denials import denial_record
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional


@dataclasses.dataclass(frozen=True, slots=True)
class Proof:
    """What somebody shows: any of a password, a code, and a passkey's answer to the step-up's challenge."""

    password: str = dataclasses.field(default="", repr=False)
    otp: str = dataclasses.field(default="", repr=False)
    passkey: dict[str, Any] | None = dataclasses.field(default=None, repr=False)


def step_up(*, actor: Actor, address: str, proof: Proof) -> Session:
    """Date the last proof of the actor's session anew; gives the session.

    All that is shown has to be right. Whoever has a second factor shows one, with or without the password:
    SecondFactorRequired for the password alone. Raises SignInLimited and InvalidCredentials: whoever holds a
    stolen access token must not guess here. A wrong proof ends no session.
    """
    user = User.objects.get(pk=person_pk(actor))
    attempt = attempt_open(email_key=user.email_key, address=address)
    challenge = _challenge(actor, proof)
    right = not proof.password or password_matches(proof.password, user.password)
    try:
        session = _stepped_up(actor=actor, user=user, proof=proof, challenge=challenge) if right else None
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


def _challenge(actor: Actor, proof: Proof) -> bytes | None:
    if proof.passkey is None:
        return None
    return ceremony_redeem(
        kind=Ceremony.Kind.PASSKEY_STEP_UP,
        challenge=challenge_of(proof.passkey),
        user_pk=person_pk(actor),
        session=session_uid(actor),
    )


@transactional
def _stepped_up(*, actor: Actor, user: User, proof: Proof, challenge: bytes | None) -> Session | None:
    # Compared again under the lock: a password that was changed meanwhile proves nothing.
    row: Any = User.objects.select_for_update(no_key=True).annotate(clock=Now()).get(pk=user.pk)
    if not row.is_active or row.password != user.password:
        return None
    shown = [PASSWORD] if proof.password else []
    if proof.otp:
        factor = otp_use(user=row, otp=proof.otp, now=row.clock)
        if factor is None:
            return None
        shown.append(factor)
    if proof.passkey is not None:
        if challenge is None or not passkey_use(
            user=row, credential=proof.passkey, challenge=challenge, identified=True
        ):
            return None
        shown.append(PASSKEY)
    has = factors_of(row.pk)
    if has.enrolled and not SECOND.intersection(shown):
        raise SecondFactorRequired(extra={"factors": has.names})
    return session_prove(actor=actor, user=row, shown=shown) if shown else None


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
