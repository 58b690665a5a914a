"""JSON out, by orjson: times in RFC 3339 with `Z` and the stored microseconds, ids and enums as text."""

from __future__ import annotations

import decimal
from collections.abc import Mapping
from typing import Any

import orjson
from django.utils.functional import Promise
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

_OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


def dump_json(data: Any) -> bytes:
    """`data` as JSON; raises TypeError for what has no JSON form, rather than guess one."""
    return orjson.dumps(data, default=_plain, option=_OPTIONS)


def _plain(value: Any) -> Any:
    if isinstance(value, Promise | decimal.Decimal):
        return str(value)
    if isinstance(value, frozenset | set):
        return sorted(value)
    if isinstance(value, memoryview):
        return bytes(value).decode()
    raise TypeError(f"{type(value).__name__} has no JSON form")


class ORJSONRenderer(BaseRenderer):
    """application/json for every answer of a view."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The body's bytes; none where there is no data."""
        return b"" if data is None else dump_json(data)


class PlainNegotiation(DefaultContentNegotiation):
    """The framework's negotiation, cut short for what nearly every request accepts."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The renderer and the media type; raises NotAcceptable."""
        first = renderers[0]
        if request.META.get("HTTP_ACCEPT", "*/*") in {"*/*", first.media_type}:
            return first, first.media_type
        chosen: tuple[BaseRenderer, str] = super().select_renderer(request, renderers, format_suffix)
        return chosen
