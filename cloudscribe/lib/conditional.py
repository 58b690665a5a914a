"""Conditional requests (RFC 9110, section 13): entity tags, If-None-Match and If-Match."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request

from cloudscribe.lib.errors import DomainError

# etagc of RFC 9110, section 8.8.3: no space, no quote, no control character.
_TAG = re.compile(r'\s*(W/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)')


class InvalidCondition(DomainError):
    """A condition header that is not a list of entity tags."""

    code = "invalid_condition"
    title = "The condition can't be read"


class IfMatchAny(DomainError):
    """`If-Match: *` would let a write overwrite what its author never saw."""

    code = "if_match_any"
    title = "If-Match: * is refused"
    detail = "Send the ETag of the version that you edited, not `*`."


@dataclasses.dataclass(frozen=True, slots=True)
class IfMatch:
    """The strong tags of an If-Match header without their quotes; weak ones never match and are left out."""

    tags: tuple[str, ...]

    def matches(self, etag: str) -> bool:
        """Whether `etag`, quoted as `make_etag` gives it, is among the tags (strong comparison)."""
        return etag.strip('"') in self.tags


def make_etag(*parts: Any) -> str:
    """A strong entity tag in quotes over the parts; equal parts give equal tags on every machine."""
    return body_etag(repr(parts).encode())


def body_etag(body: bytes) -> str:
    """The strong entity tag in quotes of an answer that nothing but its bytes tells from another.

    By SHA-256, which processors have instructions for: of a page it takes half of what BLAKE2 takes.
    """
    return f'"{base64.urlsafe_b64encode(hashlib.sha256(body).digest()[:12]).decode()}"'


def if_none_match(request: Request | HttpRequest, etag: str) -> bool:
    """Whether the client already holds `etag`: the answer is then 304.

    Comparison is weak, as RFC 9110 section 13.1.2 asks; a header that can't be read counts as not sent,
    since the full answer is never wrong.
    """
    header = request.META.get("HTTP_IF_NONE_MATCH")
    if not header:
        return False
    if header == etag or header.strip() == "*":
        return True
    wanted = etag.removeprefix("W/").strip('"')
    return any(tag == wanted for _, tag in _tags(header) or ())


def parse_if_match(request: Request | HttpRequest) -> IfMatch | None:
    """The If-Match header, None where it wasn't sent.

    Raises IfMatchAny for `*` and InvalidCondition for what is no list of entity tags.
    """
    header = request.META.get("HTTP_IF_MATCH")
    if header is None:
        return None
    if header.strip() == "*":
        raise IfMatchAny
    tags = _tags(header)
    if not tags:
        raise InvalidCondition("If-Match is not a list of entity tags in double quotes.")
    return IfMatch(tuple(tag for weak, tag in tags if not weak))


def cache_privately(response: HttpResponseBase) -> None:
    """Let the reader's own cache keep the answer but ask each time; it is never another reader's."""
    response.headers.setdefault("Cache-Control", "private, no-cache")
    _vary(response)


def forbid_storing(response: HttpResponseBase) -> None:
    """Keep the answer out of every cache: secrets, exports, what a share link shows."""
    response.headers["Cache-Control"] = "no-store"
    _vary(response)


def _vary(response: HttpResponseBase) -> None:
    if "Vary" in response.headers:
        patch_vary_headers(response, ["Authorization"])
    else:
        response.headers["Vary"] = "Authorization"


def _tags(header: str) -> list[tuple[str, str]] | None:
    found, position = [], 0
    while position < len(header):
        match = _TAG.match(header, position)
        if match is None:
            return None
        found.append((match[1] or "", match[2]))
        position = match.end()
    return found
