"""The OpenAPI description of an operation, complete with little said per view.

Read from what the view declares anyway: its action's docstring, serializers, queries, statuses,
conditions, scopes.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework.serializers import ListSerializer
from rest_framework.settings import api_settings

from cloudscribe.lib.permissions import Public
from cloudscribe.lib.schema_components import CONDITION, IDEMPOTENCY_KEY, header_reference, problem_reference
from cloudscribe.lib.serializers import NoInput, StrictCharField, StrictSerializer
from cloudscribe.lib.viewsets import ServiceViewSet

_BODY_PROBLEMS = (413, 415)


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How to sign in, for whichever class the settings name."""

    target_class = api_settings.DEFAULT_AUTHENTICATION_CLASSES[0]
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """The scheme's description."""
        text = "The `access` of POST auth/login/ (ten minutes at most), or a personal access token `csp_…`."
        return {"type": "http", "scheme": "bearer", "description": text}


class OperationSchema(AutoSchema):
    """One operation of a ServiceViewSet; other views get what the base class makes of them."""

    view: Any

    # --- names and words ---------------------------------------------------------------------------
    def get_operation_id(self) -> str:
        """The path's nouns and the action: `documents_list`, `documents_move`, `auth_login`."""
        words = [part.replace("-", "_") for part in self._tokenize_path()]
        action = getattr(self.view, "action", None) or self.method.lower()
        return "_".join(words if words[-1:] == [action] else [*words, action])

    def get_tags(self) -> list[str]:
        """The view's `tag`, else the path's first noun."""
        tag = getattr(self.view, "tag", None)
        words = [tag] if tag else self._tokenize_path()[:1]
        return [word[:1].upper() + word[1:].replace("-", " ") for word in words]

    def get_summary(self) -> str:
        """The first line of the action's docstring."""
        return self._doc()[0].rstrip(".")

    def get_description(self) -> str:  # type: ignore[override]
        """The rest of the docstring and the scope that a token needs; else the first line again."""
        scope = self.view.required_scope if isinstance(self.view, ServiceViewSet) else None
        need = f"A token needs the scope `{scope}`." if scope else ""
        first, *rest = self._doc()
        return "\n\n".join(part for part in ("\n".join(rest).strip(), need) if part) or first

    def _doc(self) -> list[str]:
        action = getattr(self.view, getattr(self.view, "action", None) or self.method.lower(), None)
        text = inspect.getdoc(action) or inspect.getdoc(type(self.view)) or self.get_operation_id()
        return text.splitlines()

    # --- what goes in -----------------------------------------------------------------------------
    def get_request_serializer(self) -> Any:
        """What the action reads."""
        if not isinstance(self.view, ServiceViewSet):
            return super().get_request_serializer()
        kind = self.view.serializers.get(self.view.action)
        return None if kind in {None, NoInput} else kind

    def _get_request_body(self, direction: str = "request") -> Any:
        """As the base class has it, which looks for bodies with PUT, PATCH and POST alone."""
        method = self.method
        if method == "DELETE" and self.get_request_serializer() is not None:
            self.method = "PATCH"
        try:
            return super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        finally:
            self.method = method

    def get_override_parameters(self) -> list[Any]:
        """Query parameters that the view declares, and the headers that the action understands."""
        if not isinstance(self.view, ServiceViewSet):
            return list(super().get_override_parameters())
        action = self.view.action
        found: list[Any] = [OpenApiParameter(name) for name in self.view.query_parameters.get(action, ())]
        if action in self.view.queries:
            found.append(self.view.queries[action])
        found.extend(_headers_in(self.view, self.method, guarded=self._is_guarded()))
        return found

    def _is_guarded(self) -> bool:
        created = self.view.success_status in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}
        return self.method == "POST" and created and not self._is_public()

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if direction == "request" and isinstance(serializer, StrictSerializer):
            schema["additionalProperties"] = False
        if (example := getattr(serializer, "example", None)) is not None:
            schema["examples"] = [example]
        return schema

    def _map_serializer_field(self, field: Any, direction: str, *options: Any, **named: Any) -> Any:
        schema = super()._map_serializer_field(field, direction, *options, **named)  # type: ignore[no-untyped-call]
        trimmed = isinstance(field, StrictCharField) and field.trim_whitespace and not field.allow_blank
        if trimmed and direction == "request":
            schema.setdefault("pattern", r"\S")
        return schema

    # --- what comes out -----------------------------------------------------------------------------
    def get_response_serializers(self) -> Any:
        """What the action's success shows, under its status."""
        if not isinstance(self.view, ServiceViewSet):
            return super().get_response_serializers()
        status = self.view.success_status
        action = self.view.action
        if status == HTTPStatus.NO_CONTENT or (action in self.view.answers and not self.view.answers[action]):
            return {status: None}
        return {status: self.view.answer_kind() or OpenApiTypes.OBJECT}

    def _is_list_view(self, serializer: Any = None) -> bool:
        if isinstance(self.view, ServiceViewSet):
            return self._is_paged() or isinstance(serializer, ListSerializer)
        return bool(super()._is_list_view(serializer))

    def _get_paginator(self) -> Any:
        """None for a plain array: only pages have a cursor."""
        return super()._get_paginator() if self._is_paged() else None  # type: ignore[no-untyped-call]

    def _is_paged(self) -> bool:
        return not isinstance(self.view, ServiceViewSet) or self.view.action in self.view.list_actions()

    def get_auth(self) -> list[dict[str, Any]]:
        """None for public routes."""
        return [] if self._is_public() else super().get_auth()

    def _is_public(self) -> bool:
        return any(isinstance(permission, Public) for permission in self.view.get_permissions())

    def _get_response_bodies(self, direction: Any = "response") -> dict[str, Any]:
        responses: dict[str, Any] = super()._get_response_bodies(direction)
        if not isinstance(self.view, ServiceViewSet):
            return responses
        for status, response in responses.items():
            headers = {name: header_reference(name) for name in self._headers_out(int(status))}
            response["headers"] = {**response.get("headers", {}), **headers}
            response["description"] = response.get("description") or HTTPStatus(int(status)).phrase
        if self.method == "GET" and _has_etag(self.view, self.method):
            responses["304"] = {
                "description": "What the client holds is current.",
                "headers": {name: header_reference(name) for name in ("ETag", "X-Request-ID")},
            }
        problems = {str(status): problem_reference(status) for status in self._problems()}
        return dict(sorted({**problems, **responses}.items()))

    def _headers_out(self, status: int) -> list[str]:
        names = ["X-Request-ID", "RateLimit", "RateLimit-Policy"]
        if _has_etag(self.view, self.method) or self.view.action in self.view.if_match:
            names.append("ETag")
        located = self.view.action not in self.view.unlocated
        if located and status in {HTTPStatus.CREATED, HTTPStatus.ACCEPTED}:
            names.append("Location")
        return names

    def _problems(self) -> Iterable[int]:
        """Every refusal that the operation can answer with."""
        yield from (400, 406, 429, 500, 503)
        if not self._is_public() or self.method != "GET":
            # Public writes are about signing in, or about what a mailed or shared secret opens.
            yield from (401, 403)
        if not self._is_public() or "{" in self.path:
            # Ids stand in bodies and queries, too.
            yield 404
        if self.method != "GET":
            yield from (409, *_BODY_PROBLEMS)
        if self._is_guarded():
            yield 422
        need = self.view.if_match.get(self.view.action)
        if need:
            yield 412
        if need == "required":
            yield 428
        yield from self.view.problems.get(self.view.action, ())


def _has_etag(view: ServiceViewSet, method: str) -> bool:
    """Whether the operation's success carries an ETag."""
    return view.action in view.etag_actions or (method == "GET" and view.is_cacheable())


def _headers_in(view: ServiceViewSet, method: str, *, guarded: bool) -> list[OpenApiParameter]:
    found = []
    if view.action in view.if_match:
        found.append(CONDITION(required=view.if_match[view.action] == "required"))
    if method == "GET" and _has_etag(view, method):
        text = "The ETag that the client holds; 304 if it is still current."
        found.append(OpenApiParameter("If-None-Match", str, OpenApiParameter.HEADER, description=text))
    if guarded:
        found.append(IDEMPOTENCY_KEY)
    return found
