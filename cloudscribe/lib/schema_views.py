"""The schema and its pages, from this server's own files, without scripts inside a page."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import (
    OpenApiJsonRenderer,
    OpenApiJsonRenderer2,
    OpenApiYamlRenderer,
    OpenApiYamlRenderer2,
)
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularRedocView, SpectacularSwaggerSplitView
from rest_framework.request import Request

from cloudscribe.lib.errors import DomainError
from cloudscribe.lib.refusals import reads_only

_FORMS = {
    renderer.media_type: renderer
    for renderer in (OpenApiJsonRenderer, OpenApiJsonRenderer2, OpenApiYamlRenderer, OpenApiYamlRenderer2)
}


@functools.cache
def _schema(urlconf: str) -> dict[str, Any]:
    """The whole description, made once a process: it depends on the code alone."""
    schema: dict[str, Any] = SchemaGenerator(urlconf=urlconf).get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    return schema


@functools.cache
def _written(urlconf: str, media_type: str) -> bytes:
    """The same in one of its forms, once a process: to write it takes long, and anybody may ask."""
    written: bytes = _FORMS[media_type]().render(_schema(urlconf), media_type, {})
    return written


class SchemaView(SpectacularAPIView):
    """OpenAPI 3.1 as JSON, or as YAML where Accept prefers it."""

    renderer_classes = [*_FORMS.values()]
    throttle_classes = []

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        """The description."""
        renderer = request.accepted_renderer
        charset = f"; charset={renderer.charset}" if renderer.charset else ""
        return HttpResponse(
            _written(settings.ROOT_URLCONF, renderer.media_type),
            content_type=renderer.media_type + charset,
            headers={"Cache-Control": "no-cache"},
        )


class SwaggerView(SpectacularSwaggerSplitView):
    """Swagger UI."""

    throttle_classes = []


class RedocView(SpectacularRedocView):
    """Redoc."""

    throttle_classes = []


@reads_only
def error_codes(request: HttpRequest) -> HttpResponse:
    """Every error code: where the `type` of a problem leads to."""
    return render(
        request, "error_codes.html", {"errors": sorted(_errors(DomainError), key=lambda one: one.code)}
    )


def _errors(kind: type[DomainError]) -> Iterator[type[DomainError]]:
    seen: dict[str, type[DomainError]] = {}
    pending = [kind]
    while pending:
        one = pending.pop()
        pending.extend(one.__subclasses__())
        if "code" in vars(one):
            seen.setdefault(one.code, one)
    yield from seen.values()
