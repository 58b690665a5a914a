"""What all operations of the OpenAPI description share: the problem object, headers, refusals, examples."""

from __future__ import annotations

import functools
from http import HTTPStatus
from typing import Any

from drf_spectacular.utils import OpenApiParameter

from cloudscribe.lib.context import RequestContext, request_context
from cloudscribe.lib.errors import (
    PROBLEM_TYPE,
    BodyTooLarge,
    BusinessError,
    DomainError,
    ErrorType,
    Forbidden,
    Gone,
    InternalError,
    InvalidInput,
    Locked,
    NotAcceptable,
    NotAuthenticated,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    RangeNotSatisfiable,
    ServiceUnavailable,
    StorageFull,
    TooManyRequests,
    UnprocessableInput,
    UnsupportedMedia,
    problem_body,
)

_REASONS = {
    400: "The request is not acceptable; `errors` says where and why.",
    401: "Nobody is signed in, or the credential is no longer valid.",
    403: "Visible, but not allowed to this actor or this token.",
    404: "Nothing that the actor can see; hidden and absent alike.",
    406: "None of the forms that Accept names is offered.",
    409: "The current state doesn't allow this.",
    410: "It was here and is no more.",
    412: "The version that If-Match names is not the current one.",
    413: "The body is too large.",
    415: "This kind of body is not read here.",
    416: "The range lies outside of the file.",
    422: "Well-formed, but it can't be followed; or the Idempotency-Key was used for another request.",
    423: "Locked, held or busy.",
    428: "If-Match is required.",
    429: "Too many requests; `Retry-After` says when to come back.",
    500: "Our fault; it is recorded under the request id.",
    503: "A dependency is away for a moment; `Retry-After` says when to try again.",
    507: "The server has no room left.",
}
_GENERAL: dict[int, type[DomainError]] = {
    refusal.status: refusal
    for refusal in (
        InvalidInput, NotAuthenticated, Forbidden, NotFound, NotAcceptable, BusinessError, Gone,
        PreconditionFailed, BodyTooLarge, UnsupportedMedia, RangeNotSatisfiable, UnprocessableInput, Locked,
        PreconditionRequired, TooManyRequests, InternalError, ServiceUnavailable, StorageFull,
    )
}  # fmt: skip
_HEADERS: dict[str, dict[str, Any]] = {
    "ETag": {
        "description": "The answer's version, for If-None-Match and If-Match; opaque.",
        "schema": {"type": "string"},
        "example": '"1-7.k3Zq"',
    },
    "Location": {
        "description": "The address of what was made.",
        "schema": {"type": "string", "format": "uri"},
        "example": "https://docs.example.org/api/v1/documents/019af3c2-7b1e-7cc0-8a40-3c5d2f6b9e10/",
    },
    "RateLimit": {
        "description": "What is left of the limit that is nearest to its end, where limits are on.",
        "schema": {"type": "string"},
        "example": '"writes";r=98;t=42',
    },
    "RateLimit-Policy": {
        "description": "The limits that this request counts against.",
        "schema": {"type": "string"},
        "example": '"writes";q=100;w=60',
    },
    "Retry-After": {
        "description": "Seconds to wait.",
        "schema": {"type": "integer", "minimum": 1},
        "example": 2,
    },
    "WWW-Authenticate": {
        "description": "How to sign in.",
        "schema": {"type": "string"},
        "example": 'Bearer realm="CloudScribe"',
    },
    "X-Request-ID": {
        "description": "The request's id: the client's own where it sent a usable one.",
        "schema": {"type": "string", "pattern": "^[A-Za-z0-9_-]{8,80}$"},
        "example": "5f3c1a9be0d24a7f8c6e2b1d4f7a9c03",
    },
}
_STRING = {"type": "string"}
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "An error (RFC 9457). Some codes bring further members.",
    "required": [
        "type", "title", "status", "detail", "instance", "code", "error_type", "request_id", "errors",
    ],
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "description": "The code's documentation."},
        "title": {**_STRING, "description": "The code in words."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {**_STRING, "description": "What happened this time."},
        "instance": {**_STRING, "description": "`urn:uuid:` and the request id."},
        "code": {**_STRING, "description": "Stable; programs decide by it."},
        "error_type": {"type": "string", "enum": sorted(ErrorType)},
        "request_id": {**_STRING, "description": "To be named when asking for help."},
        "errors": {
            "type": "array",
            "description": "The single faults of the input.",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "detail"],
                "properties": {
                    "pointer": {
                        **_STRING,
                        "description": "JSON pointer into the body (RFC 6901), or `?name` of the query.",
                    },
                    "code": _STRING,
                    "detail": _STRING,
                },
            },
        },
    },
}  # fmt: skip

IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[\\x21-\\x7E]+$"},
    OpenApiParameter.HEADER,
    description="A repetition with the same key answers like the first and creates nothing, for 24 hours.",
)


def CONDITION(*, required: bool) -> OpenApiParameter:  # noqa: N802 (beside its sibling)
    """The If-Match header of a write."""
    text = "The ETag of the version that was edited; a later one is merged with it where that loses nothing."
    return OpenApiParameter("If-Match", str, OpenApiParameter.HEADER, required=required, description=text)


def header_reference(name: str) -> dict[str, str]:
    """A reference to one of the shared headers."""
    return {"$ref": f"#/components/headers/{name}"}


def problem_reference(status: int) -> dict[str, str]:
    """A reference to the shared refusal with `status`."""
    return {"$ref": f"#/components/responses/Problem{status}"}


def complete(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """drf-spectacular's post-processing hook: the shared components, tags, an example for each body."""
    result["servers"] = [{"url": "/", "description": "The server that this description comes from."}]
    result["info"]["contact"] = {"name": "Whoever runs this server"}
    components = result.setdefault("components", {})
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components["headers"] = _HEADERS
    components["responses"] = {f"Problem{status}": _refusal(status) for status in sorted(_used(result))}
    operations = [operation for path in result["paths"].values() for operation in path.values()]
    result["tags"] = [
        {"name": tag} for tag in sorted({tag for one in operations for tag in one.get("tags", ())})
    ]
    for operation in operations:
        _add_examples(operation, components["schemas"])
    _drop(result, "x-spec-enum-id")
    return result


def _drop(node: Any, name: str) -> None:
    """Take a generator's own mark out of the description, wherever it stands."""
    if isinstance(node, dict):
        node.pop(name, None)
    for inner in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        _drop(inner, name)


def _used(result: dict[str, Any]) -> set[int]:
    return {
        int(status)
        for path in result["paths"].values()
        for operation in path.values()
        for status, response in operation["responses"].items()
        if response.get("$ref", "").startswith("#/components/responses/")
    }


def _refusal(status: int) -> dict[str, Any]:
    names = ["X-Request-ID"]
    names += ["Retry-After"] if status in {429, 503} else []
    names += ["WWW-Authenticate"] if status == HTTPStatus.UNAUTHORIZED else []
    reference = {"$ref": "#/components/schemas/Problem"}
    return {
        "description": _REASONS[status],
        "headers": {name: header_reference(name) for name in names},
        "content": {PROBLEM_TYPE: {"schema": reference, "example": _problem_example(status)}},
    }


def _problem_example(status: int) -> dict[str, Any]:
    """What the most general refusal with `status` answers."""
    with request_context(RequestContext(_HEADERS["X-Request-ID"]["example"])):
        body = problem_body(_GENERAL[status]())
    return {**body, "error_type": str(body["error_type"])}


def _add_examples(operation: dict[str, Any], schemas: dict[str, Any]) -> None:
    bodies = [operation.get("requestBody", {}), *operation["responses"].values()]
    for body in bodies:
        for media in body.get("content", {}).values():
            if "example" not in media and "examples" not in media:
                media["example"] = sample(media.get("schema", {}), schemas)


_BY_FORMAT = {
    "binary": "…",
    "date": "2026-01-31",
    "date-time": "2026-01-31T09:30:00.123456Z",
    "email": "ada@example.org",
    "ip": "192.0.2.7",
    "uri": "https://docs.example.org/",
    "uuid": "019af3c2-7b1e-7cc0-8a40-3c5d2f6b9e10",
}


def sample(schema: dict[str, Any], schemas: dict[str, Any], depth: int = 0) -> Any:
    """An example that fits a schema: its own where it has one, else made of types, formats and bounds."""
    if "$ref" in schema:
        return sample(schemas.get(schema["$ref"].rsplit("/", 1)[-1], {}), schemas, depth)
    for keyword in ("default", "const"):
        if schema.get(keyword) is not None:
            return schema[keyword]
    for keyword in ("examples", "enum"):
        if schema.get(keyword):
            return schema[keyword][0]
    for keyword in ("oneOf", "anyOf", "allOf"):
        if schema.get(keyword):
            return sample(schema[keyword][0], schemas, depth)
    kind = schema.get("type", "object")
    first = next((one for one in kind if one != "null"), "null") if isinstance(kind, list) else kind
    return _of_type(first, schema, schemas, depth)


def _of_type(kind: str, schema: dict[str, Any], schemas: dict[str, Any], depth: int) -> Any:
    if depth > 6 and kind in {"array", "object"}:
        return [] if kind == "array" else {}
    inner = functools.partial(sample, schemas=schemas, depth=depth + 1)
    if kind == "object":
        return {name: inner(one) for name, one in schema.get("properties", {}).items()}
    if kind == "array":
        return [inner(schema.get("items", {}))]
    if kind in {"integer", "number"}:
        return schema.get("minimum", 1)
    if kind == "boolean":
        return True
    text = _BY_FORMAT.get(schema.get("format", ""), "text")
    return text.ljust(schema.get("minLength", 0), "x") if kind == "string" else None
