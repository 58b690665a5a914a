"""The addresses of attachments, and what is found of them in texts. Pure."""

from __future__ import annotations

import re
import uuid

_PREFIX = "/api/v1/attachments/"
_ADDRESS = re.compile(
    r"(?:https?://[^/\s]+)?/api/v1/attachments/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/file/(?:\?[^#]*)?",
    re.IGNORECASE,
)


def attachment_location(uid: uuid.UUID) -> str:
    """The address of what is known about an attachment."""
    return f"{_PREFIX}{uid}/"


def attachment_address(uid: uuid.UUID) -> str:
    """The address of the file itself, as it stands in texts."""
    return f"{_PREFIX}{uid}/file/"


def attachment_of(target: str) -> uuid.UUID | None:
    """The attachment that a link's target means, whatever host it names; None for any other target."""
    found = _ADDRESS.fullmatch(target.partition("#")[0])
    return uuid.UUID(found[1]) if found else None


def may_attach(content: str) -> bool:
    """Whether there is anything in the text that a link to an attachment holds."""
    return _PREFIX in content.lower()
