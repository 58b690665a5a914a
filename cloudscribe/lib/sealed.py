"""Secrets at rest that we must read again: sealed by AES-256-GCM (NIST SP 800-38D) under the key ring."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Callable
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings

_NONCE_BYTES = 12


@dataclasses.dataclass(frozen=True, slots=True)
class SealedField:
    """A column of sealed texts, so that they can be sealed anew when the key ring's active key changes."""

    model: Any
    field: str
    purpose: str
    context: Callable[[Any], bytes]


sealed_fields: list[SealedField] = []


def sealed_field(*, model: Any, field: str, purpose: str, context: Callable[[Any], bytes]) -> None:
    """Make a column known in an app's `ready()`: `context` gives that of a row, as `seal` was told it.

    What is sealed for minutes only needs none of this: the old key opens it as long as it is in the ring.
    """
    sealed_fields.append(SealedField(model, field, purpose, context))


class SealBroken(ValueError):
    """The text was not sealed by a key of the ring, for this purpose and this context."""


def seal(purpose: str, data: bytes, context: bytes) -> bytes:
    """`data` as only `unseal` with the same purpose and context reads it.

    `context` names the row that it lies in, so that a sealed text moved to another row is worth nothing. The
    form is: length of the key id, key id, nonce, ciphertext with tag.
    """
    kid = settings.KEY_RING.active_kid
    nonce = secrets.token_bytes(_NONCE_BYTES)
    cipher = AESGCM(settings.KEY_RING.derive(f"seal-{purpose}", kid))
    name = kid.encode()
    return bytes([len(name)]) + name + nonce + cipher.encrypt(nonce, data, context)


def unseal(purpose: str, sealed: bytes, context: bytes) -> bytes:
    """The inverse of `seal`; raises SealBroken."""
    kid, rest = _parts(bytes(sealed))
    try:
        cipher = AESGCM(settings.KEY_RING.derive(f"seal-{purpose}", kid))
        return cipher.decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], context)
    except (KeyError, InvalidTag, ValueError) as error:
        raise SealBroken from error


def sealed_by(sealed: bytes) -> str:
    """The id of the key that sealed a text; raises SealBroken for what was never sealed."""
    return _parts(bytes(sealed))[0]


def _parts(sealed: bytes) -> tuple[str, bytes]:
    try:
        end = 1 + sealed[0]
        return sealed[1:end].decode(), sealed[end:]
    except (IndexError, UnicodeDecodeError) as error:
        raise SealBroken from error
