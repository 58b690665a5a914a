"""Refresh tokens `kid.session.counter.secret.tag`: form, tag and the secret of the one that follows."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import hmac
import re
import secrets
import uuid

from django.conf import settings

_FORM = re.compile(r"([^.\s]{1,64})\.([0-9a-f]{32})\.(\d{1,18})\.([\w-]{43})\.([\w-]{43})", re.ASCII)
_TAG = "refresh-tag"
_SUCCESSOR = "refresh-successor"


@dataclasses.dataclass(frozen=True, slots=True)
class RefreshToken:
    """One refresh token without its tag, which is computed when it is written and checked when it is read."""

    kid: str
    session: uuid.UUID
    counter: int
    secret: bytes = dataclasses.field(repr=False)

    @classmethod
    def first(cls, session: uuid.UUID) -> RefreshToken:
        """The first token of a session, with a random secret, under the active key."""
        return cls(settings.KEY_RING.active_kid, session, 0, secrets.token_bytes(32))

    @classmethod
    def parse(cls, text: str) -> RefreshToken | None:
        """The token that `text` spells, None where its form or its tag is wrong or its key unknown."""
        match = _FORM.fullmatch(text)
        if match is None or match[1] not in settings.KEY_RING.keys:
            return None
        try:
            token = cls(match[1], uuid.UUID(match[2]), int(match[3]), _decode(match[4]))
            tag = _decode(match[5])
        except (ValueError, binascii.Error):
            return None
        # One spelling per token: base64 leaves bits at the end that many spellings share.
        return token if hmac.compare_digest(tag, token._tag()) and str(token) == text else None

    def successor(self, kid: str) -> RefreshToken:
        """The token that follows, derived by the ring's key `kid`: the same each time it is asked for."""
        key = settings.KEY_RING.derive(_SUCCESSOR, kid)
        secret = hmac.digest(key, self._body().encode(), "sha256")
        return RefreshToken(kid, self.session, self.counter + 1, secret)

    def secret_hash(self) -> bytes:
        """The SHA-256 of the secret: what the database knows of it."""
        return hashlib.sha256(self.secret).digest()

    def __str__(self) -> str:
        return f"{self._body()}.{_encode(self._tag())}"

    def _body(self) -> str:
        return f"{self.kid}.{self.session.hex}.{self.counter}.{_encode(self.secret)}"

    def _tag(self) -> bytes:
        return hmac.digest(settings.KEY_RING.derive(_TAG, self.kid), self._body().encode(), "sha256")


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=")
