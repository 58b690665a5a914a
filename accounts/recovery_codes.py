"""Recovery codes: how they look and what of them is kept."""

from __future__ import annotations

import base64
import hmac
import re
import secrets

from django.conf import settings

HOW_MANY = 10
_BYTES = 10
_GROUP = 4


def code_new() -> str:
    """80 random bits in base 32, in groups that people can copy: `abcd-efgh-ijkl-mnop`."""
    text = base64.b32encode(secrets.token_bytes(_BYTES)).decode().lower()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def code_hash(code: str, user_pk: int, kid: str | None = None) -> bytes:
    """The keyed hash of a code as its owner typed it, by the active key unless another is named."""
    plain = re.sub(r"[\s-]", "", code).lower()
    key = settings.KEY_RING.derive("recovery-code", kid or settings.KEY_RING.active_kid)
    return hmac.digest(key, f"{user_pk}:{plain}".encode(), "sha256")


def code_hashes(code: str, user_pk: int) -> list[bytes]:
    """The hashes that a code may lie under: a retired key stays in the ring for checking."""
    return [code_hash(code, user_pk, kid) for kid in settings.KEY_RING.keys]
