"""The OpenID Connect provider: its metadata and keys, and what it is asked. All by the one door outwards.

What it said is kept in this process alone: keys that lay in Redis could be put there by whoever writes to it.
"""

from __future__ import annotations

import dataclasses
import json
import threading
import time
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import structlog
from cachetools import TTLCache
from django.conf import settings
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, OKPKey, RSAKey

from accounts.exceptions import OidcUnavailable
from security.outgoing import OutgoingRefused, fetch

V = TypeVar("V")
Key = ECKey | OKPKey | RSAKey

_LIFETIME = 3_600.0
# Between two looks for a key that wasn't there; a stranger's made-up key ids must not become requests.
_PAUSE = 60.0
_STALE_FOR = 86_400.0
_FAILED_FOR = 10.0
# Somebody's request waits for each of these; honest providers answer in a fraction of it.
_PATIENCE = 4.0
_MOST_BYTES = 256 * 1024

log = structlog.get_logger(__name__)


@dataclasses.dataclass(frozen=True, slots=True)
class Provider:
    """What the metadata say that we need (OpenID Connect Discovery 1.0, section 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    secret_in_body: bool


def configured() -> bool:
    """Whether there is a provider to sign in by."""
    return bool(settings.OIDC_ISSUER and settings.OIDC_CLIENT_ID)


class _Kept(Generic[V]):
    """What `load` says of an address, fresh for an hour; one thread asks, a failure is kept for moments.

    With `stale` what is older is still given for a day, and asked for anew beside the request: where the
    provider hangs, nobody waits for it.
    """

    def __init__(self, load: Callable[[str], V], *, stale: bool = False) -> None:
        self._load = load
        self._stale = stale
        self._asking = threading.Lock()
        # Guards both tables, for as long as it takes to look into them.
        self._lock = threading.Lock()
        self._known: TTLCache[str, tuple[V, float]] = TTLCache(8, _STALE_FOR)
        self._failed: TTLCache[str, bool] = TTLCache(8, _FAILED_FOR)

    def get(self, address: str, *, older_than: float | None = None) -> V:
        """The value; raises OidcUnavailable. `older_than` asks for a newer one where it has that age."""
        value = self._held(address, _LIFETIME if older_than is None else older_than)
        if value is None and self._stale:
            value = self._held(address, _STALE_FOR)
            if value is not None:
                self._renew_aside(address)
        if value is not None:
            return value
        # Whoever comes while another asks waits as long as that may take: then it is known, or has failed.
        if not self._asking.acquire(timeout=_PATIENCE):
            raise _unavailable()
        try:
            value = self._held(address, _LIFETIME if older_than is None else older_than)
            return self._ask(address) if value is None else value
        finally:
            self._asking.release()

    def _held(self, address: str, younger_than: float) -> V | None:
        with self._lock:
            value, at = self._known.get(address, (None, 0.0))
        return value if value is not None and time.monotonic() - at < younger_than else None

    def _ask(self, address: str) -> V:
        with self._lock:
            if address in self._failed:
                raise _unavailable()
        try:
            value = self._load(address)
        except OidcUnavailable:
            with self._lock:
                self._failed[address] = True
            raise
        with self._lock:
            self._known[address] = (value, time.monotonic())
        return value

    def _renew_aside(self, address: str) -> None:
        with self._lock:
            if address in self._failed:
                return
        if not self._asking.acquire(blocking=False):
            return
        try:
            threading.Thread(target=self._renew, args=(address,), name="oidc-renewal", daemon=True).start()
        except RuntimeError:
            self._asking.release()  # no thread to be had; the next request tries again

    def _renew(self, address: str) -> None:
        try:
            self._ask(address)
        except OidcUnavailable:
            return  # it was logged, and what is known goes on for its day
        finally:
            self._asking.release()

    def forget(self) -> None:
        """Ask anew at the next use."""
        with self._lock:
            self._known.clear()
            self._failed.clear()


def provider() -> Provider:
    """The configured provider; raises OidcUnavailable where it doesn't answer."""
    return metadata.get(settings.OIDC_ISSUER)


def signing_keys(*, newer: bool = False) -> tuple[Key, ...]:
    """The provider's public keys; `newer` looks again, at most once a minute."""
    return keys.get(provider().jwks_uri, older_than=_PAUSE if newer else None)


def tokens_for(code: str, verifier: str) -> Mapping[str, Any] | None:
    """What the token endpoint gives for a code (RFC 6749, section 4.1.3, with RFC 7636); None if it refuses.

    Raises OidcUnavailable, also where the provider doesn't take us for its client.
    """
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": settings.OIDC_REDIRECT_URL,
        "code_verifier": verifier,
    }
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    client, secret, there = settings.OIDC_CLIENT_ID, settings.OIDC_CLIENT_SECRET, provider()
    if secret and not there.secret_in_body:
        # RFC 6749, section 2.3.1: both are form-encoded before they become a user and a password.
        pair = f"{quote(client, safe='')}:{quote(secret, safe='')}"
        headers["authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    else:
        form |= {"client_id": client} | ({"client_secret": secret} if secret else {})
    status, found = _asked("POST", there.token_endpoint, headers=headers, body=urlencode(form).encode())
    if status == 200:
        return found
    if status == 400 and found.get("error") == "invalid_grant":
        return None
    log.warning("oidc_token_endpoint", status=status, error=str(found.get("error", ""))[:60])
    raise _unavailable()


def claims_of_user(access_token: str) -> Mapping[str, Any]:
    """What the UserInfo endpoint says, empty where there is none; raises OidcUnavailable."""
    address = provider().userinfo_endpoint
    if not address or not access_token:
        return {}
    status, found = _asked("GET", address, headers={"authorization": f"Bearer {access_token}"})
    return found if status == 200 else {}


def _load_metadata(issuer: str) -> Provider:
    status, found = _asked("GET", issuer.rstrip("/") + "/.well-known/openid-configuration")
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    addresses: dict[str, Any] = {name: found.get(name) for name in names}
    # Another issuer than the configured one could stand for anybody at ours (section 4.3).
    if status != 200 or found.get("issuer") != issuer or not all(map(_is_address, addresses.values())):
        log.error("oidc_metadata", status=status, issuer_matches=found.get("issuer") == issuer)
        raise _unavailable()
    methods = found.get("token_endpoint_auth_methods_supported")
    in_body = isinstance(methods, list) and "client_secret_basic" not in methods
    userinfo = found.get("userinfo_endpoint")
    return Provider(
        issuer=issuer,
        userinfo_endpoint=userinfo if isinstance(userinfo, str) and _is_address(userinfo) else "",
        secret_in_body=in_body,
        **addresses,
    )


def _is_address(value: object) -> bool:
    # Of http only where the issuer itself is: the door lets it go to networks alone that operators opened.
    schemes = {"https", urlsplit(settings.OIDC_ISSUER).scheme}
    return isinstance(value, str) and urlsplit(value).scheme in schemes


def _load_keys(address: str) -> tuple[Key, ...]:
    status, found = _asked("GET", address)
    entries = found.get("keys")
    if status != 200 or not isinstance(entries, list):
        log.error("oidc_keys", status=status)
        raise _unavailable()
    return tuple(key for entry in entries if (key := _key(entry)) is not None)


def _key(entry: object) -> Key | None:
    """A public key for signatures; None for secrets, for encryption and for kinds that we don't know."""
    if not isinstance(entry, dict) or entry.get("use", "sig") != "sig":
        return None
    try:
        key = JWKRegistry.import_key(entry)
    except (JoseError, ValueError, TypeError, KeyError):
        return None
    return key if isinstance(key, ECKey | OKPKey | RSAKey) else None


def _asked(
    method: str, address: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
) -> tuple[int, dict[str, Any]]:
    """Status and JSON object of an answer, empty where it is none; raises OidcUnavailable."""
    try:
        answer = fetch(
            method, address, headers=headers, body=body, most_bytes=_MOST_BYTES, most_seconds=_PATIENCE
        )
    except OutgoingRefused as error:
        log.warning("oidc_provider_unreachable", reason=str(error.reason))
        raise _unavailable() from error
    try:
        found = json.loads(answer.body)
    except (ValueError, RecursionError):
        found = None
    return answer.status, found if isinstance(found, dict) else {}


def _unavailable() -> OidcUnavailable:
    return OidcUnavailable(retry_after=int(_FAILED_FOR))


metadata: _Kept[Provider] = _Kept(_load_metadata, stale=True)
# Not stale: a key that the provider has withdrawn signs nobody in for longer than it must.
keys: _Kept[tuple[Key, ...]] = _Kept(_load_keys)
