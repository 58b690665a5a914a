"""Second factors for tests: codes of an authenticator app whose clock can be set, and people who have one."""

from __future__ import annotations

import time
from typing import Any

import pyotp

from accounts.models import RecoveryCode, TotpDevice
from accounts.recovery_codes import HOW_MANY, code_hash, code_new
from accounts.totp import secret_new, secret_seal
from tests.accounts.factories import PASSWORD


def code_at(secret: str, steps: int = 0) -> str:
    """The code that the app shows now, or shows that many steps later."""
    return pyotp.TOTP(secret).at(int(time.time()) + 30 * steps)


def totp_make(user: Any) -> str:
    """Give the user an authenticator app that counts; its secret."""
    secret, device = secret_new(), TotpDevice(user=user, confirmed_at="2026-01-01T00:00:00Z")
    device.secret = secret_seal(secret, device.uid)
    device.save()
    return secret


def recovery_codes_make(user: Any) -> list[str]:
    """Give the user recovery codes."""
    codes = [code_new() for _ in range(HOW_MANY)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, code_hash=code_hash(code, user.pk)) for code in codes
    )
    return codes


def login(client: Any, user: Any, otp: str | None = None, password: str = PASSWORD) -> Any:
    """One try to sign in."""
    body = {"email": user.email, "password": password} | ({"otp": otp} if otp is not None else {})
    return client.post("auth/login/", body)
