"""`users/{id}/…`: other people as those see and change them who run the platform."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.auth.models import Group
from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from accounts.api.serializers import HandOverInput
from accounts.models import User
from accounts.permissions import SteppedUp
from accounts.roles import PREFIX, ROLES, roles_of
from accounts.services.erasure import ERASE_PERMISSION, erasure_request
from accounts.services.leaving import DELETE_PERMISSION, user_delete
from accounts.services.roles import user_role_give, user_role_take
from accounts.services.suspension import user_suspend, user_unsuspend
from cloudscribe.jobs.api.serializers import JobOutput
from cloudscribe.lib.conditional import make_etag
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.permissions import Authenticated, HasPermission
from cloudscribe.lib.renderers import dump_json
from cloudscribe.lib.serializers import StrictCharField, StrictSerializer
from cloudscribe.lib.viewsets import ServiceViewSet


class UserAnswer(serializers.ModelSerializer[User]):
    """A person or a service as those see them who run the platform."""

    id = serializers.UUIDField(source="uid", read_only=True)
    roles = serializers.SerializerMethodField()

    class Meta:
        model = User
        fields = (
            "id",
            "kind",
            "email",
            "name",
            "is_active",
            "suspended_at",
            "suspended_reason",
            "deactivated_at",
            "roles",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    def get_roles(self, user: User) -> list[str]:
        """The names of the platform roles."""
        return roles_of(user)


class ReasonInput(StrictSerializer):
    """Why, for the audit trail."""

    reason = StrictCharField(required=False, allow_blank=True, max_length=500)


class UsersViewSet(ServiceViewSet):
    """People and services, for holders of the named permissions."""

    permission_classes = [Authenticated]
    action_permissions: ClassVar = {
        **dict.fromkeys(("suspend", "unsuspend"), (HasPermission("accounts.suspend_user"), SteppedUp)),
        "erase": (HasPermission(DELETE_PERMISSION), SteppedUp),
    }
    serializers: ClassVar = {
        "retrieve": UserAnswer,
        "suspend": ReasonInput,
        "unsuspend": ReasonInput,
        "erase": HandOverInput,
    }
    answers: ClassVar = {"erase": None}
    answer_serializer = UserAnswer
    statuses: ClassVar = {"erase": 204}
    scope_map: ClassVar = {"retrieve": "users:read"}
    problems: ClassVar = {"suspend": (404, 409), "unsuspend": (404,), "erase": (404, 409, 423)}
    tag = "users"

    def get_queryset(self) -> QuerySet[User]:
        """All of them, for those who may see them; nobody for others and for what is cut to a place."""
        may = self.actor.limit is None and self.request.user.has_perm("accounts.view_user")
        return User.objects.filter(deleted_at=None) if may else User.objects.none()

    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """One of them with their roles (permission `accounts.view_user`)."""
        shown = self.shown(self.get_object_or_404(self.get_queryset()))
        return self.respond(shown, etag=make_etag(dump_json(shown)))

    def suspend(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Keep somebody out: sessions end, tokens don't sign in, from the next request on."""
        return self.respond(
            self.shown(user_suspend(actor=self.actor, user=self.kwargs["id"], **self.input()))
        )

    def unsuspend(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Let somebody sign in again who was suspended or closed the account."""
        row = user_unsuspend(actor=self.actor, user=self.kwargs["id"], **self.input())
        return self.respond(self.shown(row))

    def erase(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Delete somebody's account for good; `hand_over_to` takes over what they answered for."""
        user_delete(actor=self.actor, user=self.kwargs["id"], **self.input())
        return self.respond()


class ErasureViewSet(ServiceViewSet):
    """What the audit trail holds of a deleted person."""

    permission_classes = [HasPermission(ERASE_PERMISSION), SteppedUp]
    serializers: ClassVar = {"create": ReasonInput}
    answer_serializer = JobOutput
    statuses: ClassVar = {"create": 202}
    problems: ClassVar = {"create": (404, 409, 423)}
    tag = "users"

    def create(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """Erase names, addresses and values from the events of a deleted person; the events stay provable."""
        job = erasure_request(actor=self.actor, user=self.kwargs["id"], **self.input())
        return self.respond(self.shown(job), location=f"/api/v1/jobs/{job.uid}/")


class RoleAnswer(serializers.Serializer[Group]):
    """A role and what it gives."""

    role = serializers.SerializerMethodField()
    permissions = serializers.SerializerMethodField()

    def get_role(self, group: Group) -> str:
        """The role's name."""
        return group.name.removeprefix(PREFIX)

    def get_permissions(self, group: Group) -> list[str]:
        """The platform permissions that it gives, as `app.codename`."""
        rows = group.permissions.all()
        return sorted(f"{row.content_type.app_label}.{row.codename}" for row in rows)


class RoleInput(StrictSerializer):
    """One of the platform's roles."""

    role = serializers.ChoiceField(choices=ROLES)


class UserRolesViewSet(ServiceViewSet):
    """The platform roles of a person or service."""

    permission_classes = [HasPermission("accounts.assign_roles")]
    action_permissions: ClassVar = dict.fromkeys(
        ("create", "destroy"), (HasPermission("accounts.assign_roles"), SteppedUp)
    )
    serializers: ClassVar = {"list": RoleAnswer, "retrieve": RoleAnswer, "create": RoleInput}
    answer_serializer = RoleAnswer
    scope_map: ClassVar = {"list": "users:read", "retrieve": "users:read"}
    problems: ClassVar = {"list": (404,), "create": (404, 409), "destroy": (409,)}
    lookup_url_kwarg = "role"
    default_ordering = "name"
    tag = "users"

    def get_queryset(self) -> QuerySet[Group]:
        """The roles of the user of the address; raises NotFound."""
        user = User.objects.filter(uid=self.kwargs["id"], deleted_at=None).first()
        if user is None:
            raise NotFound
        roles = Group.objects.filter(user=user, name__startswith=PREFIX)
        return roles.prefetch_related("permissions__content_type")

    def list(self, request: Request, **_: Any) -> HttpResponseBase:
        """The roles that somebody has."""
        return self.paged(self.get_queryset())

    def retrieve(self, request: Request, role: str, **_: Any) -> HttpResponseBase:
        """One role that somebody has."""
        shown = self.shown(self._role(role))
        return self.respond(shown, etag=make_etag(dump_json(shown)))

    def create(self, request: Request, **_: Any) -> HttpResponseBase:
        """Give a role; nobody gives one with permissions that they don't hold themselves."""
        given = self.input()["role"]
        user = user_role_give(actor=self.actor, user=self.kwargs["id"], role=given)
        location = f"/api/v1/users/{user.uid}/roles/{given}/"
        return self.respond(self.shown(self._role(given)), location=location)

    def destroy(self, request: Request, role: str, **_: Any) -> HttpResponseBase:
        """Take a role away; the last active administrator stays one."""
        user_role_take(actor=self.actor, user=self.kwargs["id"], role=role)
        return self.respond()

    def _role(self, name: str) -> Group:
        return self.get_object_or_404(self.get_queryset(), name=PREFIX + name)
