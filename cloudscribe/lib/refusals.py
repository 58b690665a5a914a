"""Refusals as answers: problem+json (RFC 9457) for programs, a page for people."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import structlog
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from rest_framework import exceptions

from cloudscribe.lib.context import current_context
from cloudscribe.lib.errors import (
    PROBLEM_TYPE,
    BadRequest,
    BodyTooLarge,
    DomainError,
    Forbidden,
    InternalError,
    MethodNotAllowed,
    NotFound,
    problem_body,
)
from cloudscribe.lib.renderers import dump_json

_CHALLENGE = 'Bearer realm="CloudScribe"'
_FOR_PROGRAMS = ("/api/", "/health", "/metrics")


log = structlog.get_logger(__name__)


class DomainException(exceptions.APIException):
    """A DomainError in the clothes that the framework's handler knows."""

    def __init__(self, error: DomainError) -> None:
        super().__init__(error.message, error.code)
        self.status_code = error.status
        self.error = error


def problem_response(error: DomainError, body: Mapping[str, Any] | None = None) -> HttpResponse:
    """The answer for `error`; usable wherever a response is due, middleware included."""
    response = HttpResponse(
        dump_json(body or problem_body(error)),
        status=error.status,
        content_type=PROBLEM_TYPE,
        headers=error.headers,
    )
    if error.status == HTTPStatus.UNAUTHORIZED:
        response.headers.setdefault("WWW-Authenticate", _CHALLENGE)
    # Ours is the one line about it: Django's own would tell the path.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response


def refuse(error: DomainError, request: HttpRequest) -> HttpResponse:
    """The answer for `error` outside of any API view: a problem under /api/, a page elsewhere."""
    if request.path_info.startswith(_FOR_PROGRAMS):
        return problem_response(error)
    page = render_to_string("refusal.html", {"error": error, "request_id": current_context().request_id})
    response = HttpResponse(page, status=error.status, headers=error.headers)
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 (as above)
    return response


def reads_only(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Let GET and HEAD through to a plain view; a 405 problem for the rest."""

    @functools.wraps(view)
    def answer(request: HttpRequest) -> HttpResponse:
        if request.method in {"GET", "HEAD"}:
            return view(request)
        return problem_response(MethodNotAllowed(headers={"Allow": "GET, HEAD"}))

    return answer


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler400."""
    error = BodyTooLarge() if isinstance(exception, RequestDataTooBig) else BadRequest()
    return refuse(error, request)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler403."""
    return refuse(Forbidden(), request)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Django's handler404."""
    return refuse(NotFound(), request)


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500, inside the handling of the exception."""
    error = InternalError()
    log.error("request_failed", code=error.code, exc_info=sys.exc_info())
    return refuse(error, request)
