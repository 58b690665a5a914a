"""The one handler of errors: whatever a view raises becomes a DomainError and that a problem+json answer."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any, ClassVar

import structlog
from django.core import signals
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import DatabaseError, DataError, IntegrityError, InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from drf_standardized_errors.formatter import ExceptionFormatter
from drf_standardized_errors.handler import ExceptionHandler
from drf_standardized_errors.types import ExceptionHandlerContext
from psycopg import Error as DriverError
from redis.exceptions import RedisError
from rest_framework import exceptions
from rest_framework.settings import api_settings
from rest_framework_simplejwt.exceptions import TokenError

from cloudscribe.lib.actor import current_actor
from cloudscribe.lib.context import current_context
from cloudscribe.lib.errors import (
    BadRequest,
    BodyTooLarge,
    BusinessError,
    DomainError,
    ErrorType,
    FieldError,
    Forbidden,
    InternalError,
    InvalidInput,
    MalformedBody,
    MethodNotAllowed,
    NotAcceptable,
    NotAuthenticated,
    NotFound,
    ServiceUnavailable,
    StorageFull,
    TooManyRequests,
    UnknownParameter,
    UnknownProperty,
    UnsupportedMedia,
    problem_body,
)
from cloudscribe.lib.observability.routes import route_of
from cloudscribe.lib.refusals import DomainException, problem_response
from cloudscribe.lib.signals import access_denied

log = structlog.get_logger(__name__)


class Conflict(BusinessError):
    """A constraint of the database said no where no rule of ours did."""

    detail = "This contradicts what is already there."


class TookTooLong(ServiceUnavailable):
    """A statement or a lock exceeded its limit."""

    code = "timeout"
    title = "It took too long"
    detail = "The database didn't finish this in time. Nothing was changed; try again."


_BY_SQLSTATE: dict[str, type[DomainError]] = {
    "25006": ServiceUnavailable,  # read-only: a standby, or maintenance
    "25P03": TookTooLong,  # idle in transaction
    "53100": StorageFull,
    "55P03": TookTooLong,  # lock_timeout
    "57014": TookTooLong,  # statement_timeout
}
_BY_DRF: list[tuple[type[exceptions.APIException], type[DomainError]]] = [
    (exceptions.ParseError, MalformedBody),
    (exceptions.PermissionDenied, Forbidden),
    (exceptions.NotFound, NotFound),
    (exceptions.MethodNotAllowed, MethodNotAllowed),
    (exceptions.NotAcceptable, NotAcceptable),
    (exceptions.UnsupportedMediaType, UnsupportedMedia),
]
# The narrower ones first: a body too large is a suspicious operation, too.
_BY_DJANGO: list[tuple[type[Exception], type[DomainError]]] = [
    (Http404, NotFound),
    (PermissionDenied, Forbidden),
    (RequestDataTooBig, BodyTooLarge),
    (SuspiciousOperation, BadRequest),
    (TokenError, NotAuthenticated),
    (RedisError, ServiceUnavailable),
]


def problem_of(error: Exception) -> DomainError:
    """The one refusal that stands for `error`, whatever raised it; unknown ones become InternalError."""
    if isinstance(error, DomainError):
        return error
    if isinstance(error, exceptions.APIException):
        return _of_framework(error)
    if isinstance(error, DatabaseError | InterfaceError | DriverError):
        return _of_database(error)
    if isinstance(error, DjangoValidationError):
        return InvalidInput(errors=list(_django_faults(error)))
    return next((ours() for theirs, ours in _BY_DJANGO if isinstance(error, theirs)), InternalError())


def _of_framework(error: exceptions.APIException) -> DomainError:
    if isinstance(error, DomainException):
        return error.error
    if isinstance(error, exceptions.ValidationError):
        return validation_problem(error)
    if isinstance(error, exceptions.AuthenticationFailed | exceptions.NotAuthenticated):
        detail = error.detail.get("detail") if isinstance(error.detail, dict) else error.detail
        return NotAuthenticated(str(detail) if isinstance(detail, str) else None)
    if isinstance(error, exceptions.Throttled):
        wait = max(1, math.ceil(getattr(error, "wait", None) or 1))
        return TooManyRequests(f"Come back in {wait} s.", headers={"Retry-After": str(wait)})
    for theirs, ours in _BY_DRF:
        if isinstance(error, theirs):
            # Its NotFound may carry words about what is missing; ours is the same for everything.
            return ours() if ours is NotFound else ours(str(error.detail))
    return InternalError()


def _of_database(error: Exception) -> DomainError:
    state = getattr(error, "sqlstate", None) or getattr(error.__cause__, "sqlstate", None) or ""
    if state in _BY_SQLSTATE:
        return _BY_SQLSTATE[state]()
    if isinstance(error, DataError) or state.startswith("22"):
        return InvalidInput("A value is not one that can be stored.")
    if isinstance(error, IntegrityError) or state.startswith("23"):
        return Conflict()
    if isinstance(error, OperationalError | InterfaceError) or state[:2] in {"08", "40", "53", "57"}:
        return ServiceUnavailable()
    # The driver's own OperationalError of a lost connection has no SQLSTATE.
    return ServiceUnavailable() if isinstance(error, DriverError) and not state else InternalError()


def validation_problem(error: exceptions.ValidationError, start: str = "") -> InvalidInput:
    """The faults that serializers found, each with its pointer; `start="?"` for query parameters."""
    faults = list(_faults(error.detail, start))
    codes = {fault.code for fault in faults}
    kind = next((kind for kind in (UnknownProperty, UnknownParameter) if kind.code in codes), InvalidInput)
    return kind(faults[0].detail if len(faults) == 1 else None, errors=faults)


def _faults(detail: Any, pointer: str) -> Iterator[FieldError]:
    """Flatten nested details. The formatter's own flattening joins names without escaping them (RFC 6901)."""
    if isinstance(detail, Mapping):
        for name, inner in detail.items():
            own = name == api_settings.NON_FIELD_ERRORS_KEY
            yield from _faults(inner, pointer if own else _step(pointer, str(name)))
    elif isinstance(detail, list | tuple):
        for index, inner in enumerate(detail):
            nested = isinstance(inner, Mapping | list | tuple)
            yield from _faults(inner, _step(pointer, str(index)) if nested else pointer)
    else:
        yield FieldError(pointer, getattr(detail, "code", "invalid"), str(detail))


def _step(pointer: str, name: str) -> str:
    escaped = name.replace("~", "~0").replace("/", "~1")
    return pointer + name if pointer == "?" else f"{pointer}/{escaped}"


def _django_faults(error: DjangoValidationError) -> Iterator[FieldError]:
    by_field = error.error_dict if hasattr(error, "error_dict") else {"": error.error_list}
    for name, faults in by_field.items():
        for fault in faults:
            pointer = "" if name in {"", "__all__"} else f"/{name}"
            yield FieldError(pointer, str(fault.code or "invalid"), " ".join(fault.messages))


def report(error: Exception, problem: DomainError, request: HttpRequest | None) -> None:
    """Log what is our fault once, with its trace, and let the error tracker know."""
    if problem.error_type != ErrorType.SYSTEM:
        return
    if isinstance(problem, InternalError):
        log.error("request_failed", code=problem.code, exc_info=error)
    else:
        log.warning("dependency_failed", code=problem.code, error=type(error).__name__, status=problem.status)
    signals.got_request_exception.send(sender=None, request=request)


class ProblemFormatter(ExceptionFormatter):
    """The body as problem+json."""

    def run(self) -> dict[str, Any]:
        """The problem object."""
        return problem_body(problem_of(self.exc))


class ProblemHandler(ExceptionHandler):
    """Any exception of a view to its problem."""

    formatter: ClassVar[type[ProblemFormatter]] = ProblemFormatter

    def convert_known_exceptions(self, exc: Exception) -> DomainException:
        """Every exception is known: what has no meaning of its own is our fault."""
        problem = problem_of(exc)
        if (
            isinstance(problem, TooManyRequests)
            and getattr(self.context.get("view"), "rate_scope", "") == "sign_in"
        ):
            problem.error_type = ErrorType.AUTH
        return DomainException(problem)

    def should_not_handle(self, exc: Exception) -> bool:
        """Nothing is left to Django, in debug mode neither: tests see what clients see."""
        return False

    def format_exception(self, exc: exceptions.APIException) -> dict[str, Any]:
        """The body, by our formatter."""
        return self.formatter(exc, self.context, self.exc).run()

    def get_response(  # type: ignore[override]
        self, exc: exceptions.APIException, data: dict[str, Any]
    ) -> HttpResponse:
        """A plain response: the view's renderer may be one for Markdown or files."""
        return problem_response(problem_of(exc), data)

    def report_exception(self, exc: exceptions.APIException, response: HttpResponse) -> None:
        """Log our own faults, and let audit know of an authenticated 403."""
        request = self.context.get("request")
        problem = problem_of(exc)
        report(self.exc, problem, getattr(request, "_request", request))
        # The context's actor: asking the request for it would sign in again where that has just failed.
        actor = current_actor()
        if response.status_code == HTTPStatus.FORBIDDEN and actor is not None:
            route = current_context().route or route_of(request)
            access_denied.send_robust(sender=ProblemHandler, actor=actor, route=route, code=problem.code)


def exception_handler(exc: Exception, context: ExceptionHandlerContext) -> HttpResponseBase | None:
    """The framework's EXCEPTION_HANDLER."""
    return ProblemHandler(exc, context).run()
