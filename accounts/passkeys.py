"""Passkeys (WebAuthn Level 3): what clients are asked, and judging what they answer, by py_webauthn."""

from __future__ import annotations

import dataclasses
import hmac
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from django.conf import settings
from webauthn import (
    generate_authentication_options,
    generate_registration_options,
    verify_authentication_response,
    verify_registration_response,
)
from webauthn.helpers import (
    base64url_to_bytes,
    options_to_json_dict,
    parse_authentication_credential_json,
    parse_client_data_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from accounts.exceptions import InvalidPasskey
from accounts.models import Passkey, User

_NAME = "CloudScribe"
_LONGEST_ID = 1023
_LONGEST_KEY = 2048
_TRANSPORTS = frozenset({"ble", "hybrid", "internal", "nfc", "smart-card", "usb"})

# Bytes of a stranger are read as CBOR, keys and certificates: each layer has its own way to say that they
# are none.
_UNREADABLE = (
    WebAuthnException,
    InvalidSignature,
    UnsupportedAlgorithm,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    EOFError,
)


@dataclasses.dataclass(frozen=True, slots=True)
class NewPasskey:
    """A credential whose creation was proven."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: list[str]
    backed_up: bool


def creation_options(user: User, challenge: bytes, present: Iterable[bytes | memoryview]) -> dict[str, Any]:
    """What `navigator.credentials.create()` is given for a discoverable, verifying credential, as JSON.

    `present` are the ids of those that the person has: no device holds two.
    """
    options = generate_registration_options(
        rp_id=_rp_id(),
        rp_name=_NAME,
        user_id=user.uid.bytes,
        user_name=user.email,
        user_display_name=user.name,
        challenge=challenge,
        timeout=_timeout(),
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(present),
    )
    return dict(options_to_json_dict(options))


def request_options(challenge: bytes, allowed: Iterable[bytes | memoryview] = ()) -> dict[str, Any]:
    """What `navigator.credentials.get()` is given, as JSON; without `allowed` the device finds its own."""
    options = generate_authentication_options(
        rp_id=_rp_id(),
        challenge=challenge,
        timeout=_timeout(),
        allow_credentials=_descriptors(allowed),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return dict(options_to_json_dict(options))


def challenge_of(credential: Mapping[str, Any]) -> bytes | None:
    """The challenge that a credential says it answers; None where that can't be read."""
    try:
        return parse_client_data_json(base64url_to_bytes(credential["response"]["clientDataJSON"])).challenge
    except _UNREADABLE:
        return None


def credential_id_of(credential: Mapping[str, Any]) -> bytes:
    """The id of the credential that answers; empty where that can't be read."""
    try:
        return base64url_to_bytes(credential["id"])
    except _UNREADABLE:
        return b""


def creation_verify(credential: dict[str, Any], challenge: bytes) -> NewPasskey:
    """The credential that was made in answer to `challenge`, here and by a verified person.

    Raises InvalidPasskey. No attestation is asked for: what makes an authenticator is its owner's choice.
    """
    try:
        found = verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_rp_id(),
            expected_origin=_origin(),
            require_user_verification=True,
        )
    except _UNREADABLE as error:
        raise InvalidPasskey from error
    if len(found.credential_id) > _LONGEST_ID or len(found.credential_public_key) > _LONGEST_KEY:
        raise InvalidPasskey
    named = credential["response"].get("transports")
    transports = {name for name in named if isinstance(name, str)} if isinstance(named, list) else set()
    return NewPasskey(
        found.credential_id,
        found.credential_public_key,
        found.sign_count,
        sorted(transports & _TRANSPORTS),
        found.credential_backed_up,
    )


def answer_verify(
    credential: dict[str, Any], challenge: bytes, passkey: Passkey, *, identified: bool
) -> int | None:
    """The counter of a right answer to `challenge` by `passkey`; None for any other.

    The answer names the passkey's person; it may leave that out where they are `identified` otherwise
    (WebAuthn, section 7.2, step 6).

    Wrong is also a counter that doesn't grow: then two devices hold the key, and one of them stole it
    (WebAuthn, section 6.1.1). Authenticators that don't count always say 0.
    """
    try:
        handle = parse_authentication_credential_json(credential).response.user_handle
        found = verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=_rp_id(),
            expected_origin=_origin(),
            credential_public_key=bytes(passkey.public_key),
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except _UNREADABLE:
        return None
    if handle is None and not identified:
        return None
    if handle is not None and not hmac.compare_digest(handle, passkey.user.uid.bytes):
        return None
    return found.new_sign_count


def _descriptors(ids: Iterable[bytes | memoryview]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=bytes(key)) for key in ids]


def _rp_id() -> str:
    return urlsplit(settings.PUBLIC_URL).hostname or ""


def _origin() -> str:
    parts = urlsplit(settings.PUBLIC_URL)
    return f"{parts.scheme}://{parts.netloc}"


def _timeout() -> int:
    return int(settings.CEREMONY_LIFETIME * 1000)
