"""A passkey device in software (WebAuthn Level 3): ES256 keys, no attestation, one counter a key."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


def encoded(data: bytes) -> str:
    """Base 64 for addresses, without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def decoded(text: str) -> bytes:
    """The inverse of `encoded`."""
    return urlsafe_b64decode(text + "=" * (-len(text) % 4))


@dataclasses.dataclass
class Key:
    """One credential of the device."""

    id: bytes
    private: ec.EllipticCurvePrivateKey
    user_handle: bytes
    count: int = 0


class Authenticator:
    """Makes keys and answers challenges, honestly unless a test sets a field."""

    def __init__(self) -> None:
        self.origin = "http://localhost:8000"
        self.rp_id: str | None = None
        self.flags = PRESENT | VERIFIED
        self.keys: list[Key] = []
        self.next_id: bytes | None = None

    def create(self, options: dict[str, Any]) -> dict[str, Any]:
        """What `navigator.credentials.create()` gives for the options."""
        key = Key(
            self.next_id or secrets.token_bytes(32),
            ec.generate_private_key(ec.SECP256R1()),
            decoded(options["user"]["id"]),
        )
        self.keys.append(key)
        rp_id = self.rp_id or options["rp"]["id"]
        data = self._data(rp_id, key, self.flags | ATTESTED) + bytes(16)
        data += len(key.id).to_bytes(2, "big") + key.id + _cose(key.private)
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        response = {
            "clientDataJSON": encoded(self._client("webauthn.create", options["challenge"])),
            "attestationObject": encoded(attestation),
            "transports": ["internal", "hybrid", "telepathy"],
        }
        return _credential(key, response)

    def get(self, options: dict[str, Any], key: Key | None = None) -> dict[str, Any]:
        """What `navigator.credentials.get()` gives for the options."""
        key = key or self.keys[-1]
        key.count += 1
        client = self._client("webauthn.get", options["challenge"])
        data = self._data(self.rp_id or options["rpId"], key, self.flags)
        signature = key.private.sign(data + hashlib.sha256(client).digest(), ec.ECDSA(hashes.SHA256()))
        response = {
            "clientDataJSON": encoded(client),
            "authenticatorData": encoded(data),
            "signature": encoded(signature),
            "userHandle": encoded(key.user_handle),
        }
        return _credential(key, response)

    def _client(self, kind: str, challenge: str) -> bytes:
        data = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(data).encode()

    def _data(self, rp_id: str, key: Key, flags: int) -> bytes:
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + key.count.to_bytes(4, "big")


def _cose(private: ec.EllipticCurvePrivateKey) -> bytes:
    """The public key as COSE has it (RFC 9053, section 7.1)."""
    numbers = private.public_key().public_numbers()
    point = {-2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")}
    return cbor2.dumps({1: 2, 3: -7, -1: 1, **point})


def _credential(key: Key, response: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": encoded(key.id),
        "rawId": encoded(key.id),
        "type": "public-key",
        "response": response,
        "clientExtensionResults": {},
        "authenticatorAttachment": "platform",
    }
