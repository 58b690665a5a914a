"""The key ring: secrets by key id, so that a key can be replaced while what it made still verifies."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import functools
import json

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_LENGTH = 32


class KeyRingError(ValueError):
    """The ring's JSON is not usable; the message says why without showing a key."""


@dataclasses.dataclass(frozen=True)
class KeyRing:
    """Keys by id and which of them signs; the others only verify."""

    active_kid: str
    keys: dict[str, bytes] = dataclasses.field(repr=False)

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """Read `{"active": kid, "keys": {kid: base64 of 32 bytes}}`; raises KeyRingError."""
        try:
            data = json.loads(text)
            keys = {kid: base64.b64decode(value, validate=True) for kid, value in data["keys"].items()}
            active = data["active"]
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise KeyRingError('not of the form {"active": kid, "keys": {kid: base64}}') from error
        if active not in keys:
            raise KeyRingError("the active key is not in the ring")
        if any(len(key) < _LENGTH for key in keys.values()):
            raise KeyRingError(f"every key needs at least {_LENGTH} bytes")
        return cls(active, keys)

    def derive(self, purpose: str, kid: str | None = None) -> bytes:
        """A 32-byte key for one purpose (HKDF, RFC 5869) of the active key or `kid`; KeyError if unknown."""
        return _derive(self.keys[kid or self.active_kid], purpose)


@functools.lru_cache(maxsize=256)
def _derive(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=_LENGTH, salt=None, info=purpose.encode()).derive(key)
