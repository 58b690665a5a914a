"""The request gate: what is let in to be read at all, before anything acts on it.

A fault here is always the client's, so every refusal is a 4xx with a code. Nothing that passes can make
the database or the JSON library fail later: no NUL, no lone surrogate, no number beyond 64 bits, no
nesting beyond the limit.
"""

from __future__ import annotations

import io
import json
import math
import re
from collections.abc import Callable, Mapping
from typing import IO, Any
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.http import parse_header_parameters
from rest_framework.parsers import BaseParser

from cloudscribe.lib.errors import BadRequest, BodyTooLarge, DomainError, MalformedBody, UnsupportedMedia
from cloudscribe.lib.refusals import refuse

MAX_DEPTH = 50
MAX_QUERY = 8_192
# Bodies with files, which only some routes read (cloudscribe.lib.uploads).
UPLOADS = "multipart/form-data"

# A string, also one without its end: possessive, so that no body makes the scan go back and start over.
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\Z)|[\[{]|[\]}]', re.DOTALL)
_ESCAPED_ODDITY = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")


class StrictJSONParser(BaseParser):
    """application/json in UTF-8, read without second thoughts: what JSON leaves open is refused."""

    media_type = "application/json"

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> Any:
        """The body as Python values, `{}` for an empty one.

        Raises MalformedBody, BodyTooLarge or UnsupportedMedia.
        """
        _, parameters = parse_header_parameters(media_type or "")
        if parameters.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
            raise UnsupportedMedia("JSON is read in UTF-8 only.")
        return parse_json(read_limited(stream, settings.MAX_JSON_BYTES))


def read_limited(stream: IO[bytes], limit: int) -> bytes:
    """The stream's bytes; raises BodyTooLarge as soon as there are more than `limit`."""
    body = stream.read(limit + 1)
    if len(body) > limit:
        raise BodyTooLarge(f"At most {limit:,} bytes are read here.", extra={"limit": limit})
    return body


def parse_json(body: bytes) -> Any:
    """Strict JSON (RFC 8259 with I-JSON's limits, RFC 7493); `{}` for an empty body; raises MalformedBody."""
    if not body.strip():
        return {}
    _check_depth(body)
    try:
        value = _decoder.decode(body.decode())
    except UnicodeDecodeError:
        raise MalformedBody("The body is not UTF-8.") from None
    except json.JSONDecodeError as error:
        text = f"{error.msg} at line {error.lineno}, column {error.colno}."
        raise MalformedBody(text) from None
    if _ESCAPED_ODDITY.search(body):
        _check_texts(value)
    return value


def _check_depth(body: bytes) -> None:
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return
    depth = 0
    for match in _TOKEN.finditer(body):
        first = match[0][:1]
        if first in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise MalformedBody(f"Nesting goes deeper than {MAX_DEPTH} levels.")
        elif first in b"]}":
            depth -= 1


def _check_texts(value: Any) -> None:
    if isinstance(value, str):
        if "\0" in value:
            raise MalformedBody("Text must not hold the character U+0000.")
        try:
            value.encode()
        except UnicodeEncodeError:
            raise MalformedBody("Text holds half of a surrogate pair.") from None
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_texts(name)
            _check_texts(inner)
    elif isinstance(value, list):
        for inner in value:
            _check_texts(inner)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise MalformedBody(f"The property {twice[:100]!a} stands twice.")
    return found


def _integer(text: str) -> int:
    if len(text) > 20 or not -(2**63) <= (number := int(text)) < 2**63:
        raise MalformedBody("A number doesn't fit into 64 bits.")
    return number


def _real(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise MalformedBody("A number doesn't fit into 64 bits.")
    return number


def _constant(text: str) -> Any:
    raise MalformedBody(f"{text} is no JSON.")


_decoder = json.JSONDecoder(
    object_pairs_hook=_pairs, parse_int=_integer, parse_float=_real, parse_constant=_constant
)


class RequestGate:
    """Refuse addresses and transfers that nothing behind should have to think about."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The view's answer, or the refusal."""
        fault: DomainError | None = _fault(request.META, request.path_info)
        if fault is None and "HTTP_TRANSFER_ENCODING" in request.META:
            fault = _take_chunks(request)
        return self.get_response(request) if fault is None else refuse(fault, request)


def _take_chunks(request: HttpRequest) -> DomainError | None:
    """Read a body that came in chunks, as streaming clients send it: Django reads what has a length only."""
    meta = request.META
    if meta["HTTP_TRANSFER_ENCODING"].lower() != "chunked" or not meta.get("wsgi.input_terminated"):
        return UnsupportedMedia("Bodies come plainly or in chunks, in no other transfer encoding.")
    if meta.get("CONTENT_TYPE", "").startswith(UPLOADS):
        # Left on the wire for the route that takes files, which counts for itself; all others refuse it.
        meta["CONTENT_LENGTH"] = str(settings.MAX_UPLOAD_BYTES)
        request._stream = meta["wsgi.input"]  # noqa: SLF001 (as below)
        return None
    try:
        body = read_limited(meta["wsgi.input"], settings.MAX_JSON_BYTES)
    except BodyTooLarge as error:
        return error
    except Exception:  # noqa: BLE001 (whatever the server calls it: the chunks are the client's)
        return BadRequest("The body broke off, or its chunks are malformed.")
    meta["CONTENT_LENGTH"] = str(len(body))
    request._stream = io.BytesIO(body)  # noqa: SLF001 (where its readers look)
    return None


def _fault(meta: Mapping[str, Any], path: str) -> BadRequest | UnsupportedMedia | None:
    if "\0" in path:
        return BadRequest("The path holds the character U+0000.")
    query = meta.get("QUERY_STRING", "")
    if query and (text := _query_fault(query)):
        return BadRequest(text)
    if meta.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        return UnsupportedMedia("Bodies are read without Content-Encoding.")
    return None


def _query_fault(query: str) -> str:
    if len(query) > MAX_QUERY:
        return f"The query string is longer than {MAX_QUERY:,} characters."
    plain = unquote_to_bytes(query.encode("latin-1", "replace"))
    if b"\0" in plain:
        return "The query string holds the character U+0000."
    try:
        plain.decode()
    except UnicodeDecodeError:
        return "The query string is not UTF-8."
    return ""
