"""Second factors of the signed-in person: setting up, taking away, using up."""

from __future__ import annotations

from django.db.models.functions import Now

from accounts.actors import person_held, session_uid
from accounts.exceptions import SecondFactorExists, SecondFactorMissing, WrongCode
from accounts.factors import OTP, Factors, factors_of
from accounts.models import RecoveryCode, Session, TotpDevice, User
from accounts.notifications import MFA_DISABLED, MFA_ENABLED, PASSKEY_ADDED, PASSKEY_REMOVED
from accounts.recovery_codes import HOW_MANY, code_hash, code_new
from accounts.services.mail import mail_request
from accounts.services.notifications import News, notify
from accounts.services.sessions import sessions_end
from accounts.totp import Setup, secret_new, secret_seal, secret_unseal, setup_of, step_of
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional

_KINDS = {kind.name: kind for kind in (MFA_DISABLED, MFA_ENABLED, PASSKEY_ADDED, PASSKEY_REMOVED)}


@transactional
def totp_start(*, actor: Actor) -> Setup:
    """Give the actor a new secret for an authenticator app; it counts once a code of it was shown.

    One that was never confirmed is replaced. Raises SecondFactorExists where an app counts already.
    """
    user = person_held(actor)
    if TotpDevice.objects.filter(user_id=user.pk, confirmed_at__isnull=False).exists():
        raise SecondFactorExists
    TotpDevice.objects.filter(user_id=user.pk).delete()
    secret, device = secret_new(), TotpDevice(user_id=user.pk)
    device.secret = secret_seal(secret, device.uid)
    device.save(force_insert=True)
    return setup_of(secret, user.email)


@transactional
def totp_confirm(*, actor: Actor, code: str) -> list[str]:
    """Let the app count from now on; gives the recovery codes, which nobody sees again.

    All other sessions end where it is the first factor: they were never asked for one. Raises
    SecondFactorMissing where nothing was started, SecondFactorExists where an app counts already, WrongCode.
    """
    user = person_held(actor)
    device = TotpDevice.objects.filter(user_id=user.pk).first()
    if device is None:
        raise SecondFactorMissing
    if device.confirmed_at is not None:
        raise SecondFactorExists
    step = step_of(secret_unseal(device.secret, device.uid), code, actor.now)
    if step is None:
        raise WrongCode
    before, target = factors_of(user.pk), Target("totp", device.uid, "")
    TotpDevice.objects.filter(pk=device.pk).update(confirmed_at=Now(), last_step=step)
    factor_added(actor=actor, user=user, factor=OTP, target=target, before=before, action="mfa.enabled")
    return _codes_write(user)


@transactional
def totp_remove(*, actor: Actor) -> None:
    """Turn the authenticator app off; raises SecondFactorMissing. Its owner is told by mail."""
    user = person_held(actor)
    device = TotpDevice.objects.filter(user_id=user.pk, confirmed_at__isnull=False).first()
    if device is None:
        raise SecondFactorMissing
    device.delete()
    target = Target("totp", device.uid, "")
    factor_removed(actor=actor, user=user, factor=OTP, target=target, action="mfa.disabled")


@transactional
def recovery_codes_renew(*, actor: Actor) -> list[str]:
    """New recovery codes instead of all earlier ones; SecondFactorMissing for who has no factor to lose."""
    user = person_held(actor)
    if not factors_of(user.pk).enrolled:
        raise SecondFactorMissing
    event_record(actor=actor, action="mfa.recovery_codes_renewed", target=Target("user", user.uid, user.name))
    return _codes_write(user)


def factor_added(
    *, actor: Actor, user: User, factor: str, target: Target, before: Factors, action: str
) -> None:
    """Note a new factor, in the caller's transaction: the session at hand has shown it.

    All others end where there was none `before`: they were never asked for one.
    """
    session = session_uid(actor)
    row = Session.objects.select_for_update(no_key=True).get(uid=session)
    Session.objects.filter(pk=row.pk).update(factors=sorted({*row.factors, factor}))
    if not before.enrolled:
        sessions_end(actor=actor, user_pk=user.pk, reason="mfa_enabled", keep=session)
    event_record(actor=actor, action=action, target=target, facts={"factor": factor})
    mail_request(actor.now, "second_factor_added", user.uid)
    _tell(actor, user, target, action)


def factor_removed(*, actor: Actor, user: User, factor: str, target: Target, action: str) -> None:
    """Note a factor's end, in the caller's transaction; recovery codes go with the last one."""
    if not factors_of(user.pk).enrolled:
        RecoveryCode.objects.filter(user_id=user.pk).delete()
    event_record(actor=actor, action=action, target=target, facts={"factor": factor})
    mail_request(actor.now, "second_factor_removed", user.uid)
    _tell(actor, user, target, action)


def _tell(actor: Actor, user: User, target: Target, action: str) -> None:
    facts = {"name": target.name} if target.name else {}
    news = News(_KINDS[action], target_type=target.type, target_uid=target.uid, facts=facts)
    notify(actor=actor, users=[user.pk], news=news)


def _codes_write(user: User) -> list[str]:
    codes = [code_new() for _ in range(HOW_MANY)]
    RecoveryCode.objects.filter(user_id=user.pk).delete()
    RecoveryCode.objects.bulk_create(
        [RecoveryCode(user_id=user.pk, code_hash=code_hash(code, user.pk)) for code in codes]
    )
    return codes


def codes_for_first_factor(user: User, before: Factors) -> list[str]:
    """Recovery codes for who had no factor `before`; whoever has one keeps theirs."""
    return [] if before.enrolled else _codes_write(user)
