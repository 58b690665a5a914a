"""Checkpoints: what the log was at one moment, signed, as C2SP's tlog-checkpoint and signed-note have it.

The signing key is derived from the key ring, so that rotating the ring brings a new one, and notes of the
ones before still verify as long as their key stays in the ring. Outsiders keep a verifier key (`vkey`).
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import functools
import hashlib
from collections.abc import Iterable

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from django.conf import settings

_ED25519 = b"\x01"
_PURPOSE = "audit-checkpoint"
_DASH = "\u2014"


class BadNote(ValueError):
    """The text is no checkpoint that one of the known keys signed; the message says why."""


@dataclasses.dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log by name, its number of leaves and its root."""

    origin: str
    size: int
    root: bytes

    @property
    def body(self) -> str:
        """What is signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


@dataclasses.dataclass(frozen=True, slots=True)
class VerifierKey:
    """The public half of a key, with the name that it signs under."""

    name: str
    public: bytes

    @property
    def hash(self) -> bytes:
        """The four bytes that tell a signature's key."""
        return hashlib.sha256(f"{self.name}\n".encode() + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        """As verifiers are configured: name, hash and key."""
        return f"{self.name}+{self.hash.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read what `str` writes; raises BadNote."""
        try:
            name, hashed, key = text.strip().split("+", 2)
            raw = base64.b64decode(key, validate=True)
        except (ValueError, binascii.Error) as error:
            raise BadNote("not a verifier key") from error
        found = cls(name, raw[1:])
        if raw[:1] != _ED25519 or len(found.public) != 32 or found.hash.hex() != hashed:
            raise BadNote("not a verifier key")
        return found

    def verifies(self, signature: bytes, text: str) -> bool:
        """Whether this key made the signature of the text."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except InvalidSignature:
            return False
        return True


def checkpoint_signed(checkpoint: Checkpoint) -> str:
    """The signed note, by the ring's active key under the log's own name."""
    key = verifier_key(settings.KEY_RING.active_kid, checkpoint.origin)
    signature = _private(settings.KEY_RING.active_kid).sign(checkpoint.body.encode())
    return f"{checkpoint.body}\n{_DASH} {key.name} {base64.b64encode(key.hash + signature).decode()}\n"


def checkpoint_read(note: str, keys: Iterable[VerifierKey] | None = None) -> Checkpoint:
    """The checkpoint of a signed note that one of `keys` signed, by default one of the ring.

    Raises BadNote.
    """
    body, blank, signatures = note.partition("\n\n")
    lines = body.split("\n")
    if not blank or len(lines) < 3 or not lines[1].isdecimal():
        raise BadNote("not a checkpoint")
    try:
        found = Checkpoint(lines[0], int(lines[1]), base64.b64decode(lines[2], validate=True))
    except binascii.Error as error:
        raise BadNote("not a checkpoint") from error
    known = list(verifier_keys(found.origin) if keys is None else keys)
    for line in signatures.splitlines():
        if _is_signed(line, f"{body}\n", known):
            return found
    raise BadNote("no known key signed it")


def _is_signed(line: str, text: str, keys: Iterable[VerifierKey]) -> bool:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return False
    return dash == _DASH and any(
        key.name == name and key.hash == raw[:4] and key.verifies(raw[4:], text) for key in keys
    )


def verifier_keys(origin: str) -> list[VerifierKey]:
    """The public keys of the ring, the active one first."""
    active = settings.KEY_RING.active_kid
    kids = [active, *(kid for kid in settings.KEY_RING.keys if kid != active)]
    return [verifier_key(kid, origin) for kid in kids]


def verifier_key(kid: str, origin: str) -> VerifierKey:
    """The public key of one of the ring's; raises KeyError for none of that name."""
    return VerifierKey(origin, _private(kid).public_key().public_bytes_raw())


def _private(kid: str) -> Ed25519PrivateKey:
    return _private_of(settings.KEY_RING.derive(_PURPOSE, kid))


@functools.lru_cache(maxsize=64)
def _private_of(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)
