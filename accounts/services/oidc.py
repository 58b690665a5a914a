"""Signing in by an OpenID Connect provider, and joining by one."""

from __future__ import annotations

import dataclasses
import hashlib
import uuid
from typing import Any, NoReturn

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from accounts.admission import is_admitted
from accounts.exceptions import (
    EmailUnverified,
    InvalidCredentials,
    InvalidOidcState,
    LinkRequired,
    OidcRefused,
    RegistrationClosed,
    SecondFactorRequired,
)
from accounts.factors import OIDC
from accounts.models import Ceremony, Identity, Session, User
from accounts.oidc import State, Stranger, authorization_url, stranger_of
from accounts.oidc_provider import configured, provider
from accounts.services.ceremonies import ceremony_open, ceremony_redeem
from accounts.services.joining import member_join
from accounts.services.limiter import Attempt, attempt_fail, attempt_forgive, attempt_open, attempt_withdraw
from accounts.services.otp import otp_use
from accounts.services.sessions import Credentials, second_factor_ask, session_create
from audit.denials import denial_record
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.emails import canonical_email
from cloudscribe.lib.errors import DomainError, NotFound
from cloudscribe.lib.transactions import transactional
from security.read_only import writing_check


@dataclasses.dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes, and what its client keeps until it is back."""

    authorization_url: str = dataclasses.field(repr=False)
    state: str = dataclasses.field(repr=False)
    binding: str = dataclasses.field(repr=False)


def departure(
    *, kind: Ceremony.Kind, user_pk: int | None = None, session: uuid.UUID | None = None
) -> Departure:
    """Begin a ceremony of the provider's; raises NotFound without one, OidcUnavailable."""
    if not configured():
        raise NotFound
    provider()  # asks the network, so not in the transaction
    state = _opened(kind=kind, user_pk=user_pk, session=session)
    return Departure(authorization_url(state), str(state), state.binding)


@transactional
def _opened(*, kind: Ceremony.Kind, user_pk: int | None, session: uuid.UUID | None) -> State:
    return State.new(ceremony_open(kind=kind, user_pk=user_pk, session=session))


def returned(
    *,
    kind: Ceremony.Kind,
    state: str,
    binding: str,
    code: str,
    user_pk: int | None = None,
    session: uuid.UUID | None = None,
) -> Stranger:
    """Whom the provider stands for, for whoever began this ceremony; it is used up.

    Raises NotFound, InvalidOidcState, OidcRefused and OidcUnavailable. Asks the network, after its own
    transaction.
    """
    if not configured():
        raise NotFound
    found = _bound(state, binding)
    # The binding first: who knows the state alone, out of an address, must not use it up for its owner.
    if ceremony_redeem(kind=kind, challenge=found.challenge, user_pk=user_pk, session=session) is None:
        raise InvalidOidcState
    return stranger_of(code, found)


def _bound(state: str, binding: str) -> State:
    found = State.parse(state)
    if found is None or not found.is_bound_to(binding):
        raise InvalidOidcState
    return found


def oidc_start() -> Departure:
    """Begin to sign in at the provider; raises NotFound where there is none, OidcUnavailable."""
    return departure(kind=Ceremony.Kind.OIDC_SIGN_IN)


def oidc_sign_in(*, state: str, binding: str, code: str, address: str, device: str) -> Credentials:
    """Make a session for whom the provider stands for, and an account where they are new here.

    The identity decides, never the address: LinkRequired for an unknown one whose address has an account.
    SecondFactorRequired, with a new `state` and `binding` for `oidc_sign_in_finish`, where the account has a
    second factor. Raises SignInLimited, InvalidOidcState, OidcRefused, InvalidCredentials (suspended),
    EmailUnverified, RegistrationClosed, OidcUnavailable.
    """
    # Counted by the state, which is used once, and by the address.
    attempt = attempt_open(email_key=f"oidc:{hashlib.sha256(state.encode()).hexdigest()}", address=address)
    try:
        stranger = returned(kind=Ceremony.Kind.OIDC_SIGN_IN, state=state, binding=binding, code=code)
        return _admitted(stranger=stranger, attempt=attempt, address=address, device=device)
    except (InvalidOidcState, OidcRefused) as error:
        _refuse(attempt, Target("unknown_identity", uuid.UUID(bytes=attempt.account[:16]), ""), error)
    except InvalidCredentials as error:
        user = _identity_of(stranger).user
        _refuse(attempt, Target("user", user.uid, user.name), error)
    except SecondFactorRequired as error:
        attempt_withdraw(attempt)
        raise _paused(stranger, error) from None
    except DomainError:
        # Neither right nor wrong.
        attempt_withdraw(attempt)
        raise


def _refuse(attempt: Attempt, target: Target, error: DomainError) -> NoReturn:
    attempt_fail(attempt)
    denial_record(actor=None, action="login.failed", target=target, route="oidc", code=error.code)
    raise error


def _identity_of(stranger: Stranger) -> Identity:
    known = Identity.objects.select_related("user")
    return known.get(issuer=stranger.issuer, subject=stranger.subject)


@transactional
def _paused(stranger: Stranger, error: SecondFactorRequired) -> SecondFactorRequired:
    """The same refusal, with what goes on after it: the provider's code is spent."""
    user_pk = _identity_of(stranger).user_id
    state = State.new(ceremony_open(kind=Ceremony.Kind.OIDC_SIGN_IN, user_pk=user_pk))
    return SecondFactorRequired(extra={**error.extra, "state": str(state), "binding": state.binding})


@transactional
def _admitted(*, stranger: Stranger, attempt: Attempt, address: str, device: str) -> Credentials:
    identity = Identity.objects.filter(issuer=stranger.issuer, subject=stranger.subject).first()
    if identity is None:
        identity = _joined(stranger)
    # The row is locked: a user suspended or a second factor set up meanwhile counts.
    user = _locked(identity.user_id)
    if user is None:
        raise InvalidCredentials("This account can't sign in.")
    factors = [OIDC, *second_factor_ask(user, "", Session.Kind.USER)]
    Identity.objects.filter(pk=identity.pk).update(last_used_at=Now())
    attempt_forgive(attempt)
    return session_create(user=user, factors=factors, address=address, device=device)


def _locked(user_pk: int | None) -> Any:
    rows = User.objects.select_for_update(no_key=True).annotate(clock=Now())
    return rows.filter(pk__in=[user_pk], is_active=True, kind=User.Kind.PERSON).first()


def _joined(stranger: Stranger) -> Identity:
    """A new member with the identity.

    Raises EmailUnverified, LinkRequired, RegistrationClosed, and InstallationReadOnly: who is a member signs
    in all the same, and who would be one waits.
    """
    writing_check()
    if not stranger.email:
        raise EmailUnverified
    key = canonical_email(stranger.email)
    if User.objects.filter(email_key=key).exists():
        raise LinkRequired
    # The address is proven, so the answer tells its owner alone whether they are invited.
    if not is_admitted(key):
        raise RegistrationClosed
    identity = _made(stranger, key)
    user = User.objects.annotate(clock=Now()).get(pk=identity.user_id)
    actor = member_join(user=user, proof=identity.uid, now=user.clock)
    identity_note(actor, "identity.linked", identity)
    return identity


def _made(stranger: Stranger, key: str) -> Identity:
    user = User(
        email=stranger.email,
        email_key=key,
        name=stranger.name,
        password=make_password(None),
        email_verified_at=Now(),
    )
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            return Identity.objects.create(
                user=user, issuer=stranger.issuer, subject=stranger.subject, email=stranger.email
            )
    except IntegrityError as error:
        # The address, or the identity itself, came in at the same moment.
        raise LinkRequired from error


def identity_note(actor: Actor, action: str, identity: Identity) -> None:
    """Record that an identity was linked or unlinked; who somebody is elsewhere is a personal detail."""
    event_record(
        actor=actor,
        action=action,
        target=Target("identity", identity.uid, ""),
        facts={"issuer": identity.issuer},
    )


def oidc_sign_in_finish(*, state: str, binding: str, otp: str, address: str, device: str) -> Credentials:
    """Make the session that waits for a second factor; a wrong code doesn't use the state up.

    Raises NotFound, SignInLimited (with the password's tries, as the code is the same), InvalidOidcState,
    InvalidCredentials for a wrong or used code.
    """
    if not configured():
        raise NotFound
    found = _bound(state, binding)
    waiting = _waiting(found)
    user = waiting.user if waiting else None
    if waiting is None or user is None:
        raise InvalidOidcState
    attempt = attempt_open(email_key=user.email_key, address=address)
    try:
        return _finished(
            waiting=waiting, state=found, otp=otp, attempt=attempt, address=address, device=device
        )
    except InvalidCredentials as error:
        _refuse(attempt, Target("user", user.uid, user.name), error)
    except InvalidOidcState:
        attempt_withdraw(attempt)
        raise


def _waiting(state: State, *, lock: bool = False) -> Ceremony | None:
    rows = Ceremony.objects.select_for_update() if lock else Ceremony.objects.all()
    return rows.filter(
        kind=Ceremony.Kind.OIDC_SIGN_IN,
        user_id__isnull=False,
        session_uid__isnull=True,
        secret_hash=hashlib.sha256(state.challenge).digest(),
        expires_at__gt=Now(),
    ).first()


@transactional
def _finished(
    *, waiting: Ceremony, state: State, otp: str, attempt: Attempt, address: str, device: str
) -> Credentials:
    user = _locked(waiting.user_id)
    if user is None:
        raise InvalidCredentials("This account can't sign in.")
    row = _waiting(state, lock=True)
    used = Identity.objects.filter(user_id=user.pk, issuer=settings.OIDC_ISSUER).update(last_used_at=Now())
    if row is None or not used:
        raise InvalidOidcState
    factor = otp_use(user=user, otp=otp, now=user.clock)
    if factor is None:
        raise InvalidCredentials("The code is wrong or was used before.")
    row.delete()
    attempt_forgive(attempt)
    return session_create(user=user, factors=[OIDC, factor], address=address, device=device)
