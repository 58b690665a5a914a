"""JSON out, by orjson: times in RFC 3339 with `Z` and the stored microseconds, ids and enums as text."""

from __future__ import annotations

import decimal
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from django.http.request import MediaType
from django.utils.functional import Promise
from rest_framework.exceptions import NotAcceptable
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
    """By the client's weights, which the framework's own does not look at; quick for what is usual."""

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The renderer that the client likes best, the first among equals; raises NotAcceptable.

        By RFC 9110, section 12.5.1: the most specific range that fits decides its weight, and a weight of 0
        refuses. An empty header asks for nothing in particular.
        """
        first = renderers[0]
        accept = request.META.get("HTTP_ACCEPT", "").strip()
        if accept in {"", "*/*", first.media_type}:
            return first, first.media_type
        ranges = [MediaType(text.lower()) for text in accept.split(",") if text.strip()]
        best = max(renderers, key=lambda renderer: _weight(renderer.media_type, ranges))
        if _weight(best.media_type, ranges) == 0:
            raise NotAcceptable(available_renderers=renderers)
        return best, best.media_type


def _weight(media_type: str, ranges: Sequence[MediaType]) -> float:
    main, _, kind = media_type.partition("/")
    fitting = [
        (wanted.main_type != "*", wanted.sub_type != "*", wanted.quality)
        for wanted in ranges
        if wanted.main_type in {"*", main} and wanted.sub_type in {"*", kind}
    ]
    return float(max(fitting)[-1]) if fitting else 0
