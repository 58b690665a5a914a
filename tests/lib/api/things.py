"""A small resource on the base viewset, and the routes that the tests of this folder call."""

from __future__ import annotations

import datetime as dt
import uuid
from typing import Any

import django_filters
from django.contrib.auth.models import Permission
from django.core.exceptions import SuspiciousOperation
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from rest_framework import serializers
from rest_framework.authentication import BaseAuthentication
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.routers import SimpleRouter

from cloudscribe.lib.actor import Actor, ActorKind, CredentialKind, set_actor
from cloudscribe.lib.conditional import parse_if_match
from cloudscribe.lib.errors import Forbidden, InvalidInput, NotAuthenticated, NotFound, PreconditionRequired
from cloudscribe.lib.filters import StrictFilterBackend
from cloudscribe.lib.permissions import Authenticated, HasPermission, Public
from cloudscribe.lib.schema import BearerScheme
from cloudscribe.lib.serializers import QuerySerializer, StrictCharField, StrictSerializer
from cloudscribe.lib.viewsets import ServiceViewSet

UID = uuid.UUID("019af3c2-7b1e-7cc0-8a40-3c5d2f6b9e10")


class HeaderAuthentication(BaseAuthentication):
    """`Authorization: Test <scope,…|*> [permission]`: a signed-in actor without a database."""

    def authenticate(self, request: Request) -> tuple[Any, Actor] | None:
        """The user and the actor that the header describes."""
        words = request.headers.get("Authorization", "").split()
        if not words:
            return None
        if words[0] != "Test":
            raise NotAuthenticated("The token is not valid.")
        scopes = None if words[1] == "*" else frozenset(words[1].split(","))
        actor = Actor(
            kind=ActorKind.USER,
            uid=UID,
            pk=1,
            name="Ada",
            credential_kind=CredentialKind.SESSION,
            credential_uid=UID,
            now=dt.datetime.now(dt.UTC),
            scopes=scopes,
        )
        set_actor(actor)
        return _User(words[2:]), actor

    def authenticate_header(self, request: Request) -> str:
        """The challenge."""
        return 'Bearer realm="CloudScribe"'


class HeaderScheme(BearerScheme):
    """How the schema names it."""

    target_class = HeaderAuthentication


class _User:
    is_authenticated = True

    def __init__(self, permissions: list[str]) -> None:
        self._permissions = permissions

    def has_perm(self, permission: str) -> bool:
        return permission in self._permissions


class ThingSerializer(serializers.Serializer[Any]):
    """A thing as shown."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    at = serializers.DateTimeField()


class ThingCreate(StrictSerializer):
    """What makes a thing."""

    name = StrictCharField(max_length=10)


class TreeQuery(QuerySerializer):
    """How much of the tree."""

    depth = serializers.IntegerField(min_value=1, max_value=20, required=False)


class MarkdownRenderer(BaseRenderer):
    """A form that problems can't take."""

    media_type = "text/markdown"
    format = "md"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """Text."""
        return str(data).encode()


class Things(ServiceViewSet):
    """Things."""

    authentication_classes = [HeaderAuthentication]
    permission_classes = [Authenticated]
    throttle_classes = []
    serializers = {"create": ThingCreate, "retrieve": ThingSerializer}
    answer_serializer = ThingSerializer
    queries = {"tree": TreeQuery}
    scope_map = {"retrieve": "things:read", "create": "things:write"}
    action_permissions = {"manage": [HasPermission("things.manage")], "nobody": []}
    if_match = {"partial_update": "required"}
    no_store = ("secret",)

    def retrieve(self, request: Request, id: str) -> Any:  # noqa: A002
        """Show a thing."""
        if id != str(UID):
            raise NotFound
        at = dt.datetime(2026, 1, 31, 9, 30, 0, 123456, tzinfo=dt.UTC)
        return self.respond(self.shown({"id": UID, "name": "x", "at": at}), etag='"1-7.x"')

    def create(self, request: Request) -> Any:
        """Make a thing."""
        values = self.input()
        if values["name"] == "taken":
            raise InvalidInput.field("/name", "taken", "That name is taken.")
        shown = self.shown({"id": UID, "name": values["name"], "at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)})
        return self.respond(shown, etag='"1-1.x"', location=f"/t/things/{UID}/")

    def partial_update(self, request: Request, id: str) -> Any:  # noqa: A002
        """Change a thing."""
        condition = parse_if_match(request)
        if condition is None:
            raise PreconditionRequired
        return self.respond({"tags": condition.tags})

    def destroy(self, request: Request, id: str) -> Any:  # noqa: A002
        """Drop a thing."""
        return self.respond()

    def tree(self, request: Request) -> Any:
        """Show the tree."""
        return self.respond(self.query())

    def secret(self, request: Request) -> Any:
        """Show a secret."""
        return self.raw_json(b'{"secret":1}', etag='"s"')

    def manage(self, request: Request) -> Any:
        """For those who hold the permission."""
        return self.respond({})

    def nobody(self, request: Request) -> Any:
        """For nobody, since nothing says for whom."""
        raise AssertionError


class Undeclared(ServiceViewSet):
    """A view whose author forgot the permission."""

    authentication_classes = [HeaderAuthentication]
    throttle_classes = []

    def list(self, request: Request) -> Any:
        """Never reached."""
        raise AssertionError


class Faults(ServiceViewSet):
    """Every kind of failure."""

    authentication_classes = [HeaderAuthentication]
    permission_classes = [Public]
    throttle_classes = []
    renderer_classes = [*ServiceViewSet.renderer_classes, MarkdownRenderer]
    query_parameters = {"list": ("kind",)}

    def list(self, request: Request) -> Any:
        """Fail as asked."""
        kind = request.query_params["kind"]
        if kind == "bug":
            raise RuntimeError("secret detail")
        if kind == "database":
            raise OperationalError("secret detail")
        if kind == "forbidden":
            raise Forbidden
        if kind == "timeout":
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL statement_timeout = 20; SELECT pg_sleep(5)")
        return self.respond({"kind": kind})


class PermissionSerializer(serializers.ModelSerializer[Permission]):
    """A row to page through."""

    class Meta:
        model = Permission
        fields = ["id", "codename"]


class PermissionFilter(django_filters.FilterSet):
    """By id."""

    id__gte = django_filters.NumberFilter(field_name="id", lookup_expr="gte")


class Rows(ServiceViewSet):
    """Rows with many equal sort values."""

    authentication_classes = []
    permission_classes = [Public]
    throttle_classes = []
    filter_backends = [StrictFilterBackend]
    filterset_class = PermissionFilter
    serializers = {"list": PermissionSerializer}
    ordering_choices = {"type": "content_type_id", "codename": "codename", "app": "content_type__app_label"}
    default_ordering = "type"
    queryset = Permission.objects.all()

    def list(self, request: Request) -> Any:
        """A page of rows."""
        return self.paged(Permission.objects.all())


def plain_failure(request: HttpRequest) -> HttpResponse:
    """A view outside the API that fails."""
    if request.GET.get("kind") == "suspicious":
        raise SuspiciousOperation("secret detail")
    raise RuntimeError("secret detail")


router = SimpleRouter()
router.register("things", Things, basename="thing")
router.register("undeclared", Undeclared, basename="undeclared")
router.register("faults", Faults, basename="fault")
router.register("rows", Rows, basename="row")

urlpatterns = [
    path("api/t/", include(router.urls)),
    path("api/t/other-rows/", Rows.as_view({"get": "list"})),
    path("api/t/tree/", Things.as_view({"get": "tree"})),
    path("api/t/secret/", Things.as_view({"get": "secret"})),
    path("api/t/manage/", Things.as_view({"post": "manage"})),
    path("api/t/nobody/", Things.as_view({"post": "nobody"})),
    path("api/t/plain/", plain_failure),
    path("pages/plain/", plain_failure),
    path("api/", include("cloudscribe.lib.schema_urls")),
    path("", include("cloudscribe.lib.observability.urls")),
]
handler400 = "cloudscribe.lib.refusals.bad_request"
handler403 = "cloudscribe.lib.refusals.forbidden"
handler404 = "cloudscribe.lib.refusals.not_found"
handler500 = "cloudscribe.lib.refusals.server_error"
