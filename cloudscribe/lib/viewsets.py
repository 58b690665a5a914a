"""The base of every API view: default deny, strict input, conditional reads, one way to answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, ClassVar, NoReturn, TypeVar, cast

from django.conf import settings
from django.core.exceptions import ObjectDoesNotExist
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.module_loading import import_string
from rest_framework import exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.viewsets import GenericViewSet

from cloudscribe.lib.actor import Actor, actor_of
from cloudscribe.lib.conditional import body_etag, cache_privately, forbid_storing, if_none_match
from cloudscribe.lib.errors import DomainError, FieldError, NotFound, UnknownParameter
from cloudscribe.lib.pagination import PAGING_PARAMETERS
from cloudscribe.lib.permissions import Denied
from cloudscribe.lib.problems import validation_problem
from cloudscribe.lib.renderers import PlainNegotiation
from cloudscribe.lib.serializers import NoInput, QuerySerializer

M = TypeVar("M", bound=Model)

_READS = frozenset({"GET", "HEAD"})
_CREATED = frozenset({HTTPStatus.CREATED, HTTPStatus.ACCEPTED})


class ServiceViewSet(GenericViewSet[Any]):
    """A resource's face over its services.

    A subclass declares, by action:
    - `permission_classes` (mandatory; `action_permissions` for actions that differ) and `scope_map`;
    - `serializers`: what goes in for actions with a body, what comes out for reads;
    - `answers`: what comes out of actions with a body, else `answer_serializer`;
    - `queries` (a QuerySerializer) or `query_parameters` (bare names) beyond paging, ordering and filters;
    - `statuses` where an action answers neither 201 (`create`), 204 (`destroy`) nor 200;
    - `no_store` for actions whose answers no cache may keep (True for all of them);
    - for the schema: `if_match` (actions that need, `"required"`, or take, `"optional"`, If-Match),
      `etag_actions` (writes, and reads of `no_store`, that answer an ETag; all other reads do),
      `problems` (further statuses of refusals), `unlocated` (202 without Location), `tag`.
    """

    serializers: ClassVar[Mapping[str, type[BaseSerializer[Any]]]] = {}
    answers: ClassVar[Mapping[str, type[BaseSerializer[Any]] | None]] = {}
    answer_serializer: ClassVar[type[BaseSerializer[Any]] | None] = None
    queries: ClassVar[Mapping[str, type[QuerySerializer]]] = {}
    query_parameters: ClassVar[Mapping[str, Sequence[str]]] = {}
    statuses: ClassVar[Mapping[str, int]] = {}
    scope_map: ClassVar[Mapping[str, str]] = {}
    action_permissions: ClassVar[Mapping[str, Sequence[type[BasePermission]]]] = {}
    no_store: ClassVar[bool | Sequence[str]] = False
    if_match: ClassVar[Mapping[str, str]] = {}
    etag_actions: ClassVar[Sequence[str]] = ()
    problems: ClassVar[Mapping[str, Sequence[int]]] = {}
    unlocated: ClassVar[Sequence[str]] = ()
    tag: ClassVar[str | None] = None
    paged_actions: ClassVar[Sequence[str]] = ()
    ordering_choices: ClassVar[Sequence[str] | Mapping[str, str]] = ()
    default_ordering: ClassVar[str] = "-pk"
    rate_scope: ClassVar[str | None] = None
    metadata_class = None
    content_negotiation_class = PlainNegotiation
    lookup_url_kwarg = "id"
    lookup_field = "uid"
    lookup_value_regex = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"

    _known_parameters: ClassVar[dict[tuple[type, str], frozenset[str]]] = {}

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, and let go of what knows the view that knows it: bodies would stay until Python looks."""
        try:
            return super().dispatch(request, *args, **kwargs)
        finally:
            for name in (*self.action_map, "response"):
                vars(self).pop(name, None)
            if isinstance(self.request, Request):
                self.request.parser_context = {}

    # --- before the action -----------------------------------------------------------------------------
    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Method, negotiation, sign-in, route permission, throttle, then the form of query and body."""
        if self.action not in self.action_map.values():
            self.headers["Allow"] = ", ".join(self.allowed_methods)
            if request.method == "OPTIONS":
                return
            raise exceptions.MethodNotAllowed(str(request.method))
        super().initial(request, *args, **kwargs)
        if request.META.get("QUERY_STRING"):
            self._refuse_unknown_parameters(request)
        if request.method not in _READS:
            self._prepare_write(request)

    def perform_authentication(self, request: Request) -> None:
        """Sign in; a credential that is none counts, so that nobody tries any number of them."""
        try:
            super().perform_authentication(request)
        except exceptions.APIException:
            self.check_throttles(request)
            raise

    def check_permissions(self, request: Request) -> None:
        """Refuse who may not call the route; the refusal counts as the call would have."""
        try:
            super().check_permissions(request)
        except (DomainError, exceptions.APIException):
            self.check_throttles(request)
            raise

    @property
    def allowed_methods(self) -> list[str]:
        """The methods of the route."""
        return sorted({*(method.upper() for method in self.action_map), "OPTIONS"})

    @property
    def default_response_headers(self) -> dict[str, str]:
        """What every answer carries: `Allow` is for the 405 and OPTIONS (RFC 9110, section 10.2.1)."""
        return {"Vary": "Accept"} if len(self.renderer_classes) > 1 else {}

    def get_permissions(self) -> Sequence[BasePermission]:
        """The action's permissions; without any, nobody may."""
        classes = self.action_permissions.get(self.action or "", self.permission_classes)
        permissions = [cast("BasePermission", permission()) for permission in classes]
        return permissions or [Denied()]

    @property
    def required_scope(self) -> str | None:
        """The scope that a token needs for this action; None keeps tokens out."""
        return self.scope_map.get(self.action or "")

    def _refuse_unknown_parameters(self, request: Request) -> None:
        known = self.known_parameters()
        unknown = [name for name in request.query_params if name not in known]
        if unknown:
            text = "There is no such parameter here."
            raise UnknownParameter(
                errors=[FieldError(f"?{name[:100]}", "unknown_parameter", text) for name in unknown[:20]]
            )

    def known_parameters(self) -> frozenset[str]:
        """The names that the query string of this action may hold."""
        key = (type(self), self.action or "")
        if key not in self._known_parameters:
            self._known_parameters[key] = frozenset(self._collect_parameters())
        return self._known_parameters[key]

    def _collect_parameters(self) -> set[str]:
        names = set(self.query_parameters.get(self.action, ()))
        if self.action in self.queries:
            names.update(self.queries[self.action]().fields)
        if self.action in self.list_actions():
            names.update(PAGING_PARAMETERS)
            names.update(["ordering"] if self.ordering_choices else [])
            names.update(getattr(getattr(self, "filterset_class", None), "base_filters", ()))
        return names

    @classmethod
    def list_actions(cls) -> frozenset[str]:
        """The actions that answer with pages."""
        return frozenset({"list"}) | frozenset(cls.paged_actions)

    def _prepare_write(self, request: Request) -> None:
        """Read the body before any transaction opens; guard creations by their Idempotency-Key."""
        if self.action not in self.serializers and request.META.get("CONTENT_LENGTH") not in {None, "", "0"}:
            self.input(NoInput)
        key = request.META.get("HTTP_IDEMPOTENCY_KEY")
        if key is None or request.method != "POST" or self.success_status not in _CREATED:
            return
        if isinstance(request.auth, Actor):
            # as_view has bound the action to the instance by this name; dispatch looks it up after `initial`.
            vars(self)["post"] = self._guarded(vars(self)["post"])

    def _guarded(self, handler: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
        guard = import_string(settings.IDEMPOTENCY_GUARD)

        def handle(request: Request, *args: Any, **kwargs: Any) -> HttpResponseBase:
            route = request.resolver_match.route if request.resolver_match else ""
            answer: HttpResponseBase = guard().run(
                request, actor_of(request), route, lambda: handler(request, *args, **kwargs)
            )
            return answer

        return handle

    # --- what the action uses --------------------------------------------------------------------------
    @property
    def actor(self) -> Actor:
        """Who acts; raises NotAuthenticated where nobody signed in."""
        return actor_of(self.request)

    def input(self, serializer: type[BaseSerializer[Any]] | None = None, **context: Any) -> dict[str, Any]:
        """The checked body of the action; raises InvalidInput that points at each fault."""
        kind = serializer or self.serializers[self.action]
        checked = kind(data=self.request.data, context={**self.get_serializer_context(), **context})
        try:
            checked.is_valid(raise_exception=True)
        except exceptions.ValidationError as error:
            raise validation_problem(error) from None
        return dict(checked.validated_data)

    def query(self) -> dict[str, Any]:
        """The checked query parameters that `queries` declares; raises InvalidInput that names each fault."""
        kind = self.queries[self.action]
        names = kind._declared_fields  # noqa: SLF001 (an instance copies every field)
        given = {name: value for name, value in self.request.query_params.items() if name in names}
        checked = kind(data=given, context=self.get_serializer_context())
        try:
            checked.is_valid(raise_exception=True)
        except exceptions.ValidationError as error:
            raise validation_problem(error, "?") from None
        return dict(checked.validated_data)

    def get_serializer_class(self) -> type[BaseSerializer[Any]]:
        """The serializer of what comes out of the action."""
        kind = self.answer_kind()
        if kind is None:
            raise AssertionError(f"{type(self).__name__}.{self.action} names no serializer")
        return kind

    def answer_kind(self) -> type[BaseSerializer[Any]] | None:
        """The serializer of what comes out, None where nothing is declared; never that of what goes in."""
        if self.action in self.answers:
            return self.answers[self.action]
        if self.request.method in _READS and self.action in self.serializers:
            return self.serializers[self.action]
        return self.answer_serializer

    def shown(self, instance: Any, **options: Any) -> Any:
        """`instance` (or many of them, with `many=True`) as the action's answer shows it."""
        return self.get_serializer(instance, **options).data

    def get_object_or_404(self, queryset: QuerySet[M], **lookups: Any) -> M:
        """The one row; raises NotFound for what is absent, hidden or asked for by nonsense."""
        if not lookups:
            lookups = {self.lookup_field: self.kwargs[self.lookup_url_kwarg]}
        try:
            return queryset.get(**lookups)
        except (ObjectDoesNotExist, ValueError, TypeError):
            raise NotFound from None

    def paged(self, queryset: QuerySet[Any], **options: Any) -> Response:
        """A page of `queryset`, filtered and ordered as the request asks."""
        rows = self.paginate_queryset(self.filter_queryset(queryset))
        return self.get_paginated_response(self.shown(rows, many=True, **options))

    # --- the answer ------------------------------------------------------------------------------------
    @property
    def success_status(self) -> int:
        """The status of the action's success."""
        usual = {"create": HTTPStatus.CREATED, "destroy": HTTPStatus.NO_CONTENT}
        return int(self.statuses.get(self.action, usual.get(self.action, HTTPStatus.OK)))

    def respond(
        self,
        data: Any = None,
        status: int | None = None,
        *,
        etag: str | None = None,
        location: str | None = None,
    ) -> HttpResponseBase:
        """The answer, 304 where the client already holds it; `location` is required by each 201."""
        if etag and self.request.method in _READS and if_none_match(self.request, etag):
            return self._with_headers(_not_modified(), etag, None)
        response = Response(data, status=status or self.success_status)
        return self._with_headers(response, etag, location)

    def raw_json(self, body: bytes, *, etag: str | None = None) -> HttpResponseBase:
        """The answer of a hot read whose JSON is already made; 304 where the client already holds it."""
        if etag and if_none_match(self.request, etag):
            return self._with_headers(_not_modified(), etag, None)
        return self._with_headers(HttpResponse(body, content_type="application/json"), etag, None)

    def _with_headers(self, response: HttpResponse, etag: str | None, location: str | None) -> HttpResponse:
        if etag:
            response.headers["ETag"] = etag
        if location:
            response.headers["Location"] = self.request.build_absolute_uri(location)
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Name the caching that the answer allows; errors of reads are as private as what they stand for."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if isinstance(response, Response):
            # Rendering puts the answer into the context that the answer holds.
            response.add_post_render_callback(lambda rendered: rendered.renderer_context.clear())
        if not self.is_cacheable():
            forbid_storing(response)
        elif request.method in _READS:
            cache_privately(response)
            return self._tagged(request, response)
        return response

    def is_cacheable(self) -> bool:
        """Whether the reader's own cache may keep what the action answers; such reads all carry an ETag."""
        return self.no_store is not True and self.action not in (self.no_store or ())

    def _tagged(self, request: Request, response: Any) -> Any:
        """The read with an ETag by its bytes where the action gave it none, 304 for whoever holds those."""
        if response.status_code != HTTPStatus.OK or response.streaming or "ETag" in response.headers:
            return response
        if getattr(response, "is_rendered", True):
            return _unless_held(request, response)
        response.add_post_render_callback(lambda rendered: _unless_held(request, rendered))
        return response

    def options(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Which methods there are, for everybody: `Allow` tells no more than a 405 does."""
        return _without_content(HTTPStatus.NO_CONTENT)

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> NoReturn:
        """Raise the 405."""
        raise exceptions.MethodNotAllowed(str(request.method))


def _unless_held(request: Request, response: HttpResponse) -> HttpResponse:
    response.headers["ETag"] = etag = body_etag(response.content)
    if not if_none_match(request, etag):
        return response
    answer = _not_modified()
    for name, value in response.headers.items():
        if name not in {"Content-Type", "Content-Length"}:
            answer.headers[name] = value
    return answer


def _not_modified() -> HttpResponse:
    return _without_content(HTTPStatus.NOT_MODIFIED)


def _without_content(status: HTTPStatus) -> HttpResponse:
    """No content and so no type of it; by Django's own it would get the policy of a page."""
    response = HttpResponse(status=status)
    del response.headers["Content-Type"]
    return response
