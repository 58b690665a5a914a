"""Recovery codes: how they look and what of them is kept."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets

HOW_MANY = 10
_BYTES = 10
_GROUP = 4


def code_new() -> str:
    """80 random bits in base 32, in groups that people can copy: `abcd-efgh-ijkl-mnop`."""
    text = base64.b32encode(secrets.token_bytes(_BYTES)).decode().lower()
    return "-".join(text[at : at + _GROUP] for at in range(0, len(text), _GROUP))


def code_hash(code: str, user_pk: int) -> bytes:
    """The hash of a code as its owner typed it.

    Without a key: 80 random bits can't be tried out, and codes are used years after the key ring has changed.
    """
    plain = re.sub(r"[\s-]", "", code).lower()
    return hashlib.sha256(f"recovery-code:{user_pk}:{plain}".encode()).digest()
