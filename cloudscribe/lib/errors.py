"""The errors of the domain, each with a stable code, a status and a type."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from cloudscribe.lib.context import current_context

PROBLEM_TYPE = "application/problem+json"
ERROR_PAGE = "/api/docs/errors/"
# Python before 3.13 calls them as RFC 7231 and its kin did.
_RENAMED = {413: "Content Too Large", 416: "Range Not Satisfiable", 422: "Unprocessable Content"}


def status_name(status: int) -> str:
    """What RFC 9110 and its kin call a status, such as "Not Found"; raises ValueError for an unknown one."""
    return _RENAMED.get(status) or HTTPStatus(status).phrase


class ErrorType(enum.StrEnum):
    """The four families of errors that clients can tell apart."""

    AUTH = "AuthError"
    BUSINESS = "BusinessError"
    SYSTEM = "SystemError"
    VALIDATION = "ValidationError"


@dataclasses.dataclass(frozen=True, slots=True)
class FieldError:
    """One fault: a JSON pointer (RFC 6901) or `?name` of a query parameter, a code, a sentence."""

    pointer: str
    code: str
    detail: str


class DomainError(Exception):
    """A refusal with a stable code. Subclasses name one rule each.

    `errors` point at the parts of the input that are to blame, `extra` are further members of the problem
    object (RFC 9457, section 3.2), `headers` go on the answer.
    """

    status: int = 400
    code: str = "invalid"
    error_type: ErrorType = ErrorType.VALIDATION
    title: str = "The request is not acceptable"
    detail: str = ""

    def __init__(
        self,
        detail: str | None = None,
        *,
        errors: Sequence[FieldError] = (),
        extra: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.message = detail or self.detail or self.title + "."
        self.errors = tuple(errors)
        self.extra = dict(extra or {})
        self.headers = dict(headers or {})
        super().__init__(self.message)


def problem_body(error: DomainError) -> dict[str, Any]:
    """The problem object (RFC 9457) of `error` for the request at hand.

    `type` is the address of the code's paragraph in the documentation. `instance` names the request: its path
    may hold secrets, and would make the answers for hidden and for absent things differ.
    """
    request_id = current_context().request_id
    return {
        "type": f"{ERROR_PAGE}#{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.message,
        "instance": f"urn:uuid:{request_id}",
        "code": error.code,
        "error_type": error.error_type,
        "request_id": request_id,
        "errors": [
            {"pointer": fault.pointer, "code": fault.code, "detail": fault.detail} for fault in error.errors
        ],
        **error.extra,
    }


class InvalidInput(DomainError):
    """Input of the right form whose content is refused; name the field by `errors`."""

    code = "invalid"

    @classmethod
    def field(cls, pointer: str, code: str, detail: str) -> InvalidInput:
        """An error that blames one field."""
        return cls(detail, errors=[FieldError(pointer, code, detail)])


class UnknownProperty(InvalidInput):
    """A property that the body doesn't have here; a misspelt one must not pass for none."""

    code = "unknown_property"
    title = "The body has a property too many"


class UnknownParameter(InvalidInput):
    """A query parameter that the route doesn't know; a misspelt filter must not pass for no filter."""

    code = "unknown_parameter"
    title = "The route has no such parameter"


class UnprocessableInput(InvalidInput):
    """Input that is well-formed but can't be followed, such as an operation whose text isn't there."""

    status = 422
    code = "unprocessable"
    title = "The request can't be followed"


class RangeNotSatisfiable(InvalidInput):
    """A range that begins behind the end of the file (RFC 9110, section 15.5.17)."""

    status = 416
    code = "range_not_satisfiable"
    title = "The file has no such range"


class PreconditionRequired(DomainError):
    """A write that would overwrite unseen work (RFC 6585, section 3)."""

    status = 428
    code = "precondition_required"
    title = "If-Match is required"
    detail = "Send If-Match with the ETag of the version that you edited."


class NotAuthenticated(DomainError):
    """Nobody is signed in."""

    status = 401
    code = "not_authenticated"
    error_type = ErrorType.AUTH
    title = "Sign in first"


class Forbidden(DomainError):
    """The actor sees the object but may not do this to it."""

    status = 403
    code = "permission_denied"
    error_type = ErrorType.AUTH
    title = "You may not do this"


class MissingScope(Forbidden):
    """The token doesn't reach that far; the answer names the scope."""

    code = "missing_scope"
    title = "The token lacks a scope"


class BusinessError(DomainError):
    """A rule of the domain says no."""

    status = 409
    code = "conflict"
    error_type = ErrorType.BUSINESS
    title = "The current state doesn't allow this"


class NotFound(BusinessError):
    """Absent and hidden alike: the one answer for every id that isn't there or may not be seen."""

    status = 404
    code = "not_found"
    title = "Not found"
    detail = "There is nothing here that you can see."


class Gone(BusinessError):
    """It was here and is no more."""

    status = 410
    code = "gone"
    title = "Gone"


class PreconditionFailed(BusinessError):
    """The version named by If-Match is not the current one and no merge was wanted or possible."""

    status = 412
    code = "precondition_failed"
    title = "The document has changed"


class Locked(BusinessError):
    """Somebody or something holds it (RFC 4918, section 11.3)."""

    status = 423
    code = "locked"
    title = "Locked"


class TooManyRequests(DomainError):
    """A rate limit; `Retry-After` says when to come back."""

    status = 429
    code = "rate_limited"
    error_type = ErrorType.BUSINESS
    title = "Too many requests"


class ServiceUnavailable(DomainError):
    """A dependency is away for a moment."""

    status = 503
    code = "unavailable"
    error_type = ErrorType.SYSTEM
    title = "Temporarily unavailable"
    # Not "nothing was changed": an answer that was lost may have been that of a commit.
    detail = "A service that this needs is not answering. Try again: a key or If-Match keeps it single."

    def __init__(self, detail: str | None = None, *, retry_after: int = 2) -> None:
        super().__init__(detail, headers={"Retry-After": str(retry_after)})


class BadRequest(DomainError):
    """A request that Django or the gate refuses before anything reads it."""

    code = "bad_request"
    title = "The request can't be read"


class MalformedBody(DomainError):
    """A body that is not what its Content-Type says."""

    code = "malformed_body"
    title = "The body can't be read"


class BodyTooLarge(DomainError):
    """A body beyond the limit (RFC 9110, section 15.5.14)."""

    status = 413
    code = "too_large"
    title = "The body is too large"


class UnsupportedMedia(DomainError):
    """A Content-Type or Content-Encoding that this route doesn't read."""

    status = 415
    code = "unsupported_media_type"
    title = "This kind of body is not read here"


class MethodNotAllowed(BusinessError):
    """A method that the route doesn't have; `Allow` names those it has."""

    status = 405
    code = "method_not_allowed"
    title = "The method is not allowed here"


class NotAcceptable(BusinessError):
    """None of the forms that the client accepts is offered."""

    status = 406
    code = "not_acceptable"
    title = "No acceptable form"
    detail = "This is offered in none of the forms that Accept names."


class StorageFull(DomainError):
    """The database has no room left."""

    status = 507
    code = "storage_full"
    error_type = ErrorType.SYSTEM
    title = "No room left"
    detail = "The server has no room to store this. Nothing was changed."


class InternalError(DomainError):
    """Our fault."""

    status = 500
    code = "internal_error"
    error_type = ErrorType.SYSTEM
    title = "Something went wrong on our side"
    detail = "It has been recorded under this request id."
