"""Secrets and signatures of webhooks, as Standard Webhooks 1.0.0 has them (symmetric, `v1`)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Sequence

PREFIX = "whsec_"
SEALED_FOR = "webhook"
_SECRET_BYTES = 32


def secret_make() -> str:
    """A new secret, as it is shown once to who made the webhook."""
    return PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(
    *, uid: str, timestamp: int, body: bytes, signing_secrets: Sequence[str]
) -> dict[str, str]:
    """The headers of one attempt at its moment (seconds since the epoch): a signature by each secret."""
    content = b".".join([uid.encode(), str(timestamp).encode(), body])
    return {
        "webhook-id": uid,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{_signature(secret, content)}" for secret in signing_secrets),
    }


def _signature(secret: str, content: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()
