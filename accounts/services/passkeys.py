"""Passkeys: adding, taking away, and signing in by one."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from accounts.actors import person_held, person_pk, session_uid
from accounts.exceptions import InvalidCredentials, InvalidPasskey, PasskeyExists, TooManyPasskeys
from accounts.factors import PASSKEY, factors_of
from accounts.models import Ceremony, Passkey, Session, User
from accounts.passkeys import (
    NewPasskey,
    answer_verify,
    challenge_of,
    creation_options,
    creation_verify,
    credential_id_of,
    request_options,
)
from accounts.services.ceremonies import ceremony_open, ceremony_redeem
from accounts.services.limiter import Attempt, attempt_fail, attempt_forgive, attempt_open
from accounts.services.second_factor import codes_for_first_factor, factor_added, factor_removed
from accounts.services.sessions import Credentials, session_create
from audit.denials import denial_record
from audit.services import Target
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional

MOST = 20


@dataclasses.dataclass(frozen=True, slots=True)
class AddedPasskey:
    """A new passkey, and the recovery codes where it is the person's first factor."""

    passkey: Passkey
    recovery_codes: list[str] = dataclasses.field(repr=False)


@transactional
def passkey_options(*, actor: Actor) -> dict[str, Any]:
    """What the actor's client is asked in order to make a passkey; raises TooManyPasskeys."""
    user = User.objects.get(pk=person_pk(actor))
    present = list(Passkey.objects.filter(user_id=user.pk).values_list("credential_id", flat=True))
    if len(present) >= MOST:
        raise TooManyPasskeys
    challenge = ceremony_open(
        kind=Ceremony.Kind.PASSKEY_REGISTRATION, user_pk=user.pk, session=session_uid(actor)
    )
    return creation_options(user, challenge, present)


def passkey_add(*, actor: Actor, name: str, credential: dict[str, Any]) -> AddedPasskey:
    """Keep the passkey that the client made in answer to the options.

    All other sessions end where it is the first factor. Raises InvalidPasskey, PasskeyExists (anybody's) and
    TooManyPasskeys.
    """
    challenge = ceremony_redeem(
        kind=Ceremony.Kind.PASSKEY_REGISTRATION,
        challenge=challenge_of(credential),
        user_pk=person_pk(actor),
        session=session_uid(actor),
    )
    if challenge is None:
        raise InvalidPasskey("The challenge is none of this session's, was answered before or has expired.")
    return _write(actor=actor, name=name, new=creation_verify(credential, challenge))


@transactional
def _write(*, actor: Actor, name: str, new: NewPasskey) -> AddedPasskey:
    user = person_held(actor)
    before = factors_of(user.pk)
    if before.passkeys >= MOST:
        raise TooManyPasskeys
    passkey = Passkey(user=user, name=name, **dataclasses.asdict(new))
    try:
        with transaction.atomic():
            passkey.save(force_insert=True)
    except IntegrityError as error:
        raise PasskeyExists from error
    target = Target("passkey", passkey.uid, name)
    factor_added(actor=actor, user=user, factor=PASSKEY, target=target, before=before, action="passkey.added")
    passkey.refresh_from_db(fields=["created_at"])
    return AddedPasskey(passkey, codes_for_first_factor(user, before))


@transactional
def passkey_remove(*, actor: Actor, passkey: uuid.UUID) -> None:
    """Forget one of the actor's own passkeys; NotFound for any other. Its owner is told by mail."""
    user = person_held(actor)
    row = Passkey.objects.filter(user_id=user.pk, uid=passkey).first()
    if row is None:
        raise NotFound
    row.delete()
    target = Target("passkey", row.uid, row.name)
    factor_removed(actor=actor, user=user, factor=PASSKEY, target=target, action="passkey.removed")


@transactional
def passkey_sign_in_options() -> dict[str, Any]:
    """What a client is asked in order to sign in; the device finds the passkey."""
    return request_options(ceremony_open(kind=Ceremony.Kind.PASSKEY_SIGN_IN))


@transactional
def passkey_step_up_options(*, actor: Actor) -> dict[str, Any]:
    """What the actor's client is asked in order to prove anew who they are; their own passkeys alone."""
    pk = person_pk(actor)
    challenge = ceremony_open(kind=Ceremony.Kind.PASSKEY_STEP_UP, user_pk=pk, session=session_uid(actor))
    return request_options(
        challenge, Passkey.objects.filter(user_id=pk).values_list("credential_id", flat=True)
    )


def passkey_sign_in(
    *, credential: dict[str, Any], address: str, device: str, kind: Session.Kind = Session.Kind.USER
) -> Credentials:
    """Make a session for whoever answers by a passkey, which a person was verified for: two factors in one.

    Raises SignInLimited and InvalidCredentials, the same for each reason; not being staff is one where the
    session is to be of the admin.
    """
    key = credential_id_of(credential)
    # Counted by the credential, whose id nobody guesses, and by the address.
    attempt = attempt_open(email_key=f"passkey:{hashlib.sha256(key).hexdigest()}", address=address)
    challenge = ceremony_redeem(kind=Ceremony.Kind.PASSKEY_SIGN_IN, challenge=challenge_of(credential))
    found = None
    if challenge is not None:
        found = _signed_in(
            credential=credential,
            challenge=challenge,
            attempt=attempt,
            address=address,
            device=device,
            kind=kind,
        )
    if found is None:
        attempt_fail(attempt)
        code, made_up = InvalidCredentials.code, uuid.UUID(bytes=attempt.account[:16])
        target = Target("unknown_passkey", made_up, "")
        denial_record(actor=None, action="login.failed", target=target, route="passkey", code=code)
        raise InvalidCredentials("The passkey isn't known here, or its answer doesn't hold.")
    return found


@transactional
def _signed_in(
    *,
    credential: dict[str, Any],
    challenge: bytes,
    attempt: Attempt,
    address: str,
    device: str,
    kind: Session.Kind,
) -> Credentials | None:
    user: Any = (
        User.objects.select_for_update(no_key=True)
        .annotate(clock=Now())
        .filter(
            pk__in=Passkey.objects.filter(credential_id=credential_id_of(credential)).values("user_id"),
            is_active=True,
            kind=User.Kind.PERSON,
        )
        .first()
    )
    if user is None or (kind == Session.Kind.ADMIN and not user.is_staff):
        return None
    if not passkey_use(user=user, credential=credential, challenge=challenge, identified=False):
        return None
    attempt_forgive(attempt)
    return session_create(user=user, factors=[PASSKEY], address=address, device=device, kind=kind)


def passkey_use(*, user: User, credential: dict[str, Any], challenge: bytes, identified: bool) -> bool:
    """Whether this is the answer of one of the user's passkeys, whose counter it moves on.

    `identified` says whether the user is known otherwise than by this answer. In the caller's transaction,
    which has locked the user.
    """
    row = (
        Passkey.objects.select_for_update(no_key=True, of=("self",))
        .select_related("user")
        .filter(user_id=user.pk, credential_id=credential_id_of(credential))
        .first()
    )
    count = answer_verify(credential, challenge, row, identified=identified) if row else None
    if row is None or count is None:
        return False
    Passkey.objects.filter(pk=row.pk).update(sign_count=count, last_used_at=Now())
    return True
