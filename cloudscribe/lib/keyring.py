"""The key ring: secrets by key id, so that a key can be replaced while what it made still verifies."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime as dt
import functools
import json
import secrets
from collections.abc import Collection

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_LENGTH = 32


class KeyRingError(ValueError):
    """The ring's JSON is not usable; the message says why without showing a key."""


@dataclasses.dataclass(frozen=True)
class KeyRing:
    """Keys by id and which of them signs; the others only verify.

    `made` says when a key was made, which is when it began to sign; of keys that came by hand it isn't known.
    """

    active_kid: str
    keys: dict[str, bytes] = dataclasses.field(repr=False)
    made: dict[str, dt.datetime] = dataclasses.field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> KeyRing:
        """Read `{"active": kid, "keys": {kid: base64 of 32 bytes}}`; raises KeyRingError.

        `"made": {kid: RFC 3339}` may stand beside it.
        """
        try:
            data = json.loads(text)
            keys = {kid: base64.b64decode(value, validate=True) for kid, value in data["keys"].items()}
            made = {kid: _moment(value) for kid, value in data.get("made", {}).items() if kid in keys}
            active = data["active"]
        except (ValueError, KeyError, TypeError, AttributeError, binascii.Error) as error:
            raise KeyRingError(
                'not of the form {"active": kid, "keys": {kid: base64}, "made": {kid: time}}'
            ) from error
        if active not in keys:
            raise KeyRingError("the active key is not in the ring")
        if any(len(key) < _LENGTH for key in keys.values()):
            raise KeyRingError(f"every key needs at least {_LENGTH} bytes")
        return cls(active, keys, made)

    @classmethod
    def fresh(cls, now: dt.datetime) -> KeyRing:
        """A ring with one new key."""
        kid = secrets.token_hex(4)
        return cls(kid, {kid: secrets.token_bytes(_LENGTH)}, {kid: now})

    def dump(self) -> str:
        """The text that `parse` reads, on one line."""
        keys = {kid: base64.b64encode(key).decode() for kid, key in self.keys.items()}
        made = {kid: at.isoformat() for kid, at in self.made.items()}
        return json.dumps({"active": self.active_kid, "keys": keys, "made": made})

    def rotated(self, now: dt.datetime) -> KeyRing:
        """The ring with a new active key; all others stay and verify."""
        new = KeyRing.fresh(now)
        return KeyRing(new.active_kid, {**self.keys, **new.keys}, {**self.made, **new.made})

    def replaced_at(self, kid: str) -> dt.datetime | None:
        """When `kid` ceased to sign, at the latest; None for the active key and where it can't be known."""
        if kid == self.active_kid:
            return None
        own = self.made.get(kid)
        if own is None:
            return self.made.get(self.active_kid)
        return min((at for at in self.made.values() if at > own), default=None)

    def without(self, kids: Collection[str]) -> KeyRing:
        """The ring where nothing of these keys verifies any more; raises KeyError for the active one."""
        if self.active_kid in kids:
            raise KeyError(self.active_kid)
        return KeyRing(
            self.active_kid,
            {kid: key for kid, key in self.keys.items() if kid not in kids},
            {kid: at for kid, at in self.made.items() if kid not in kids},
        )

    def derive(self, purpose: str, kid: str | None = None) -> bytes:
        """A 32-byte key for one purpose (HKDF, RFC 5869) of the active key or `kid`; KeyError if unknown."""
        return _derive(self.keys[kid or self.active_kid], purpose)


@functools.lru_cache(maxsize=256)
def _derive(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=hashes.SHA256(), length=_LENGTH, salt=None, info=purpose.encode()).derive(key)


def _moment(text: str) -> dt.datetime:
    found = dt.datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError("a time needs its offset")
    return found
