"""Codes of authenticator apps (RFC 6238: SHA-1, six digits, 30 seconds) and how an app gets its secret."""

from __future__ import annotations

import dataclasses
import datetime as dt
import re
import uuid

import pyotp
import segno

from cloudscribe.lib.sealed import seal, unseal

ISSUER = "CloudScribe"
SEALED_FOR = "totp"

# A code of the step before and after: the clocks of telephones are not ours (RFC 6238, section 5.2).
_WINDOW = (0, -1, 1)
_CODE = re.compile(r"[0-9]{6}")
_QUIET_ZONE = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Setup:
    """What an app needs, shown once: the secret in base 32, the same as `otpauth` address, as SVG QR code."""

    secret: str
    uri: str
    qr: str


def secret_new() -> str:
    """160 random bits in base 32, as RFC 4226, section 4 recommends."""
    return pyotp.random_base32()


def secret_seal(secret: str, device: uuid.UUID) -> bytes:
    """The secret as the device's row keeps it."""
    return seal(SEALED_FOR, secret.encode(), device.bytes)


def secret_unseal(sealed: bytes | memoryview, device: uuid.UUID) -> str:
    """The inverse of `secret_seal`; raises SealBroken."""
    return unseal(SEALED_FOR, bytes(sealed), device.bytes).decode()


def setup_of(secret: str, account: str) -> Setup:
    """How an app gets the secret of `account`, an e-mail address."""
    uri = pyotp.TOTP(secret).provisioning_uri(name=account, issuer_name=ISSUER)
    qr = segno.make(uri, error="m", micro=False).svg_data_uri(scale=4, border=_QUIET_ZONE, light="#fff")
    return Setup(secret, uri, qr)


def is_code(text: str) -> bool:
    """Whether the text is one that an app could show."""
    return _CODE.fullmatch(text) is not None


def step_of(secret: str, code: str, now: dt.datetime) -> int | None:
    """The time step whose code this is, of the three around `now`; None where it is none of theirs."""
    totp = pyotp.TOTP(secret)
    step = totp.timecode(now)
    for offset in _WINDOW:
        if is_code(code) and totp.verify(code, for_time=(step + offset) * totp.interval):
            return step + offset
    return None
