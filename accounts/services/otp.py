"""Using up the codes of second factors: of an authenticator app, and recovery codes."""

from __future__ import annotations

import datetime as dt

from django.db.models.functions import Now

from accounts.factors import OTP, RECOVERY, factors_of
from accounts.models import RecoveryCode, TotpDevice, User
from accounts.recovery_codes import code_hash
from accounts.services.mail import mail_request
from accounts.totp import is_code, secret_unseal, step_of
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor


def otp_use(*, user: User, otp: str, now: dt.datetime) -> str | None:
    """Use up a code of the app or a recovery code, in the caller's transaction; gives the factor it proves.

    None for a wrong code, one that was used before, and where there is no second factor. Each is used up by
    one conditional UPDATE, so that of two at once one is refused.
    """
    otp = otp.strip()
    return (
        _totp_use(user, otp.replace(" ", ""), now) if is_code(otp.replace(" ", "")) else _code_use(user, otp)
    )


def _totp_use(user: User, code: str, now: dt.datetime) -> str | None:
    device = TotpDevice.objects.filter(user_id=user.pk, confirmed_at__isnull=False).first()
    step = step_of(secret_unseal(device.secret, device.uid), code, now) if device else None
    if device is None or step is None:
        return None
    fresh = TotpDevice.objects.filter(pk=device.pk, last_step__lt=step).update(last_step=step)
    return OTP if fresh else None


def _code_use(user: User, code: str) -> str | None:
    if not factors_of(user.pk).enrolled:
        return None
    unused = RecoveryCode.objects.filter(
        user_id=user.pk, code_hash=code_hash(code, user.pk), used_at__isnull=True
    )
    return RECOVERY if unused.update(used_at=Now()) else None


def recovery_use_tell(*, actor: Actor, user: User) -> None:
    """Tell that a recovery code was used, in the transaction that used it."""
    left = RecoveryCode.objects.filter(user_id=user.pk, used_at__isnull=True).count()
    event_record(
        actor=actor,
        action="mfa.recovery_code_used",
        target=Target("user", user.uid, user.name),
        facts={"left": left},
    )
    mail_request(actor.now, "recovery_code_used", user.uid)
