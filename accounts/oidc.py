"""OpenID Connect Core 1.0, authorization code flow: what goes along with a browser, and judging what returns.

Of a sign-in that is under way the database has a hash of its state. Nonce (replay of a token), PKCE verifier
(a stolen code) and binding (a return that somebody else's browser began) are derived from the state by the
key ring, so none of them is kept.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import GuestProtocol

from accounts.exceptions import OidcRefused
from accounts.oidc_provider import Key, claims_of_user, provider, signing_keys, tokens_for
from cloudscribe.lib.emails import email_normalise
from cloudscribe.lib.texts import printable

_FORM = re.compile(r"([^.\s]{1,64})\.([\w-]{43})", re.ASCII)
# No `none`, and no HS*: whoever knows the client's secret, or takes a public key for one, would sign.
_ALGORITHMS = {
    "RSA": ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    "EC": ("ES256", "ES384", "ES512"),
    "OKP": ("EdDSA", "Ed25519"),
}
_ALL = [name for names in _ALGORITHMS.values() for name in names]
_LEEWAY = 60
_OLDEST = 600
_NAME_LENGTH = 200


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """The `state` of one sign-in: the challenge of its ceremony, and the key that derives the rest."""

    kid: str
    challenge: bytes = dataclasses.field(repr=False)

    @classmethod
    def new(cls, challenge: bytes) -> State:
        """Under the active key."""
        return cls(settings.KEY_RING.active_kid, challenge)

    @classmethod
    def parse(cls, text: str) -> State | None:
        """The state that `text` spells; None where its form is wrong or its key unknown."""
        match = _FORM.fullmatch(text)
        if match is None or match[1] not in settings.KEY_RING.keys:
            return None
        try:
            return cls(match[1], base64.urlsafe_b64decode(match[2] + "="))
        except (ValueError, binascii.Error):
            return None

    def __str__(self) -> str:
        return f"{self.kid}.{_encoded(self.challenge)}"

    @property
    def nonce(self) -> str:
        """What the ID token must say."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """The secret of PKCE (RFC 7636)."""
        return self._derived("verifier")

    @property
    def binding(self) -> str:
        """What the client that began keeps to itself until the return."""
        return self._derived("binding")

    def is_bound_to(self, binding: str) -> bool:
        """Whether it is the client that began."""
        return hmac.compare_digest(self.binding.encode(), binding.encode())

    def _derived(self, purpose: str) -> str:
        key = settings.KEY_RING.derive(f"oidc-{purpose}", self.kid)
        return _encoded(hmac.digest(key, self.challenge, "sha256"))


@dataclasses.dataclass(frozen=True, slots=True)
class Stranger:
    """Whom the provider stands for. `email` is an address that the provider has verified, or empty."""

    issuer: str
    subject: str
    email: str
    name: str


def authorization_url(state: State) -> str:
    """Where the browser is sent (section 3.1.2.1); raises OidcUnavailable."""
    address = provider().authorization_endpoint
    challenge = _encoded(hashlib.sha256(state.verifier.encode()).digest())
    query = urlencode(
        {
            "response_type": "code",
            "client_id": settings.OIDC_CLIENT_ID,
            "redirect_uri": settings.OIDC_REDIRECT_URL,
            "scope": " ".join(settings.OIDC_SCOPES),
            "state": str(state),
            "nonce": state.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
    )
    return f"{address}{'&' if '?' in address else '?'}{query}"


def stranger_of(code: str, state: State) -> Stranger:
    """Whom the provider stands for by this code; raises OidcRefused, OidcUnavailable. Asks the network."""
    found = tokens_for(code, state.verifier)
    if found is None:
        raise OidcRefused
    claims = _judged(found.get("id_token"), state)
    if "email" not in claims:
        more = claims_of_user(str(found.get("access_token") or ""))
        # Somebody else's claims are no answer (section 5.3.2).
        if more.get("sub") == claims["sub"]:
            claims = {**more, **claims}
    return Stranger(settings.OIDC_ISSUER, claims["sub"], _email(claims), _name(claims))


def _judged(token: object, state: State) -> Mapping[str, Any]:
    """The claims of an ID token that holds (section 3.1.3.7); raises OidcRefused."""
    issuer, client = settings.OIDC_ISSUER, settings.OIDC_CLIENT_ID
    wanted = jwt.JWTClaimsRegistry(
        leeway=_LEEWAY,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": client},
        sub={"essential": True},
        exp={"essential": True},
        iat={"essential": True},
    )
    try:
        claims = jwt.decode(token if isinstance(token, str) else "", _signer, algorithms=_ALL).claims
        wanted.validate(claims)
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise OidcRefused from error
    several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    holds = (
        hmac.compare_digest(str(claims.get("nonce")).encode(), state.nonce.encode())
        and claims.get("azp", None if several else client) == client
        and re.fullmatch(r"[ -~]{1,255}", claims["sub"]) is not None
        and claims["iat"] > time.time() - _OLDEST
    )
    if not holds:
        raise OidcRefused
    return claims


def _signer(token: GuestProtocol) -> Key:
    """The key that a token names, looked for anew once where it isn't known: providers change theirs."""
    headers = token.headers()
    for newer in (False, True):
        fitting = [key for key in signing_keys(newer=newer) if _fits(key, headers)]
        if len(fitting) == 1:
            return fitting[0]
    raise OidcRefused


def _fits(key: Key, headers: Mapping[str, Any]) -> bool:
    return headers.get("alg") in _ALGORITHMS[key.key_type] and headers.get("kid") in {None, key.kid}


def _email(claims: Mapping[str, Any]) -> str:
    # Not only something that counts as true: providers that say "false" mean it.
    address = claims.get("email")
    if claims.get("email_verified") is not True or not isinstance(address, str) or len(address) > 254:
        return ""
    try:
        validate_email(address)
        # Another spelling may be another mailbox: the provider has verified this one.
        return address if email_normalise(address) == address else ""
    except (ValidationError, ValueError):
        return ""


def _name(claims: Mapping[str, Any]) -> str:
    for claim in ("name", "preferred_username", "email"):
        value = claims.get(claim)
        shown = printable(value) if isinstance(value, str) else ""
        if shown.strip():
            return shown.strip()[:_NAME_LENGTH]
    return "New member"


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
