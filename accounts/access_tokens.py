"""Access tokens: JWTs of ten minutes at most that name a session and carry no right (RFC 7519, RFC 9068)."""

from __future__ import annotations

import datetime as dt
import functools
import time
import uuid
from typing import Any

import jwt
from django.conf import settings
from rest_framework_simplejwt.backends import TokenBackend
from rest_framework_simplejwt.exceptions import TokenBackendError, TokenBackendExpiredToken, TokenError
from rest_framework_simplejwt.settings import api_settings
from rest_framework_simplejwt.tokens import AccessToken

_ALGORITHM = "HS256"
_AUDIENCE = "cloudscribe-api"
_TYPE = "at+jwt"
_PURPOSE = "access-token"


class RingTokenBackend(TokenBackend):
    """Signs with the active key of the ring and verifies with the one that the token's `kid` names.

    simplejwt knows a single key, made of SECRET_KEY; a ring lets a key be replaced while its tokens live.
    """

    def encode(self, payload: dict[str, Any]) -> str:
        """The signed token, with `iss` and `aud`."""
        ring = settings.KEY_RING
        return jwt.encode(
            {**payload, "iss": self.issuer, "aud": self.audience},
            ring.derive(_PURPOSE),
            algorithm=_ALGORITHM,
            headers={"kid": ring.active_kid, "typ": _TYPE},
        )

    def decode(self, token: Any, verify: bool = True) -> dict[str, Any]:  # noqa: FBT001, FBT002 (simplejwt's)
        """The claims, verified; raises TokenBackendError for what is not one of our own live tokens."""
        try:
            text = str(token)
            key = settings.KEY_RING.derive(_PURPOSE, _kid_of(text.partition(".")[0]))
            claims = _verified(text, key, str(self.issuer))
        except jwt.ExpiredSignatureError as error:
            raise TokenBackendExpiredToken("Token is expired") from error
        except (jwt.InvalidTokenError, KeyError, TypeError) as error:
            raise TokenBackendError("Token is invalid") from error
        if claims["exp"] <= time.time():
            raise TokenBackendExpiredToken("Token is expired")
        return dict(claims)


@functools.lru_cache(maxsize=1_024)
def _verified(token: str, key: bytes, issuer: str) -> dict[str, Any]:
    """The claims of a token that this key has signed; the same text is verified once, only its end is not.

    Verifying takes a fifth of a small read. Raises jwt.InvalidTokenError, which is never kept.
    """
    return jwt.decode(
        token,
        key,
        algorithms=[_ALGORITHM],
        audience=_AUDIENCE,
        issuer=issuer,
        options={"require": ["exp", "iat", "sub", "jti", "iss", "aud"]},
    )


@functools.lru_cache(maxsize=64)
def _kid_of(header: str) -> str:
    """The key that the first part of a token names; all tokens of one key share it, so it is read once.

    Raises TokenBackendError for another type of token, InvalidTokenError or KeyError for what is no header.
    """
    fields = jwt.get_unverified_header(f"{header}.e30.")
    if fields.get("typ") != _TYPE:
        raise TokenBackendError("Token has another type")
    return str(fields["kid"])


# The ids of who is about, read once as their tokens are; what is none raises and is never kept.
_id = functools.lru_cache(maxsize=2_048)(uuid.UUID)
_backend = RingTokenBackend(_ALGORITHM, audience=_AUDIENCE, issuer=settings.PUBLIC_URL)


class SessionAccessToken(AccessToken):
    """An access token of one session: `sub` the user, `sid` the session, `jti` the token itself."""

    lifetime = dt.timedelta(seconds=settings.ACCESS_TOKEN_LIFETIME)

    def get_token_backend(self) -> TokenBackend:
        """The backend of the key ring."""
        return _backend

    def verify(self) -> None:
        """The claims that the backend doesn't ask for: it has checked the end, and that there is an id."""
        if self.payload.get(api_settings.TOKEN_TYPE_CLAIM) != self.token_type:
            raise TokenError("Token has another type")

    @classmethod
    def issue(cls, *, user: uuid.UUID, session: uuid.UUID) -> str:
        """A signed token for the user's session."""
        token = cls()
        token["sub"] = str(user)
        token["sid"] = str(session)
        return str(token)

    @property
    def user_uid(self) -> uuid.UUID:
        """Whom the token names; raises ValueError or KeyError where the claim is none of ours."""
        return _id(self["sub"])

    @property
    def session_uid(self) -> uuid.UUID:
        """Which session the token is of; raises ValueError or KeyError."""
        return _id(self["sid"])
