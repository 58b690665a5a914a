"""The tokens that mails carry: an id and its tag by the key ring, so that no row holds a token."""

from __future__ import annotations

import base64
import hmac
import re
import uuid

from django.conf import settings

EMAIL_CHANGE = "email-change"
INVITATION = "invitation"
PASSWORD_RESET = "password-reset"  # noqa: S105 (a purpose)
REGISTRATION = "registration"
PURPOSES = (EMAIL_CHANGE, INVITATION, PASSWORD_RESET, REGISTRATION)

_FORM = re.compile(r"([^.\s]{1,64})\.([0-9a-f]{32})\.([\w-]{43})", re.ASCII)


def mailed_token(purpose: str, uid: uuid.UUID) -> str:
    """The token `kid.id.tag` for the row `uid`, good for one purpose."""
    kid = settings.KEY_RING.active_kid
    return f"{kid}.{uid.hex}.{_tag(purpose, kid, uid)}"


def mailed_token_uid(purpose: str, token: str) -> uuid.UUID | None:
    """The row that a token of ours for this purpose names, None for any other text."""
    match = _FORM.fullmatch(token)
    if match is None or match[1] not in settings.KEY_RING.keys:
        return None
    uid = uuid.UUID(match[2])
    return uid if hmac.compare_digest(match[3], _tag(purpose, match[1], uid)) else None


def _tag(purpose: str, kid: str, uid: uuid.UUID) -> str:
    digest = hmac.digest(settings.KEY_RING.derive(f"mailed-{purpose}", kid), uid.bytes, "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
