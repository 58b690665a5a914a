"""Staff's view of people and their sessions; every change is a service's."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from accounts.admin_identities import IdentityAdmin
from accounts.admin_proof import proof_check, proven
from accounts.admin_teams import TeamAdmin
from accounts.admin_tokens import ServiceAccountAdmin, TokenAdmin
from accounts.factors import factors_of
from accounts.models import Identity, RolePolicy, ServiceAccount, Session, Team, Token, User
from accounts.roles import PREFIX, ROLES, roles_of
from accounts.services.factor_policy import (
    POLICY_PERMISSION,
    RESET_PERMISSION,
    factors_reset,
    role_policy_set,
)
from accounts.services.leaving import DELETE_PERMISSION, user_delete
from accounts.services.roles import user_role_give, user_role_take
from accounts.services.staff import session_end, user_update
from accounts.services.suspension import user_suspend, user_unsuspend
from cloudscribe.lib.admin import StaffAdmin, each, staff_actor

# Teams and roles share this table: whoever could edit it plainly could pass a team off as a role.
admin.site.unregister(Group)
admin.site.register(Team, TeamAdmin)
admin.site.register(Token, TokenAdmin)
admin.site.register(Identity, IdentityAdmin)
admin.site.register(ServiceAccount, ServiceAccountAdmin)


class UserForm(forms.ModelForm):  # type: ignore[type-arg]
    """What staff change about somebody. Groups, permissions and flags are no fields of it."""

    roles = forms.MultipleChoiceField(
        choices=[(role, role) for role in ROLES],
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if self.instance.pk and "roles" in self.fields:
            self.initial["roles"] = roles_of(self.instance)


@admin.register(User)
class UserAdmin(StaffAdmin):
    """People and services. The password is not shown, not even its hash."""

    list_display = ("name", "email", "kind", "shown_state", "is_staff", "email_verified_at", "created_at")
    list_filter = ("is_active", "is_staff", "kind")
    search_fields = ("name", "email", "=uid")
    ordering = ("-created_at",)
    form = UserForm
    editable = ("name", "locale", "timezone", "roles")
    actions = ("suspend", "unsuspend", "reset_factors", "erase")
    fieldsets = (
        (None, {"fields": ("name", "email", "uid", "kind", "locale", "timezone")}),
        ("Roles", {"fields": ("roles",)}),
        (
            "Sign-in",
            {
                "fields": (
                    "is_active",
                    "suspended_at",
                    "suspended_reason",
                    "deactivated_at",
                    "is_staff",
                    "is_superuser",
                    "email_verified_at",
                )
            },
        ),
        ("Second factor", {"fields": ("factors",)}),
        ("Times", {"fields": ("created_at", "updated_at")}),
    )

    @display(
        description="State",
        label={"active": "success", "closed": "info", "suspended": "danger"},
        ordering="is_active",
    )
    def shown_state(self, user: User) -> str:
        """As a coloured label."""
        if user.is_active:
            return "active"
        return "closed" if user.deactivated_at and not user.suspended_at else "suspended"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """All but those who were deleted: their rows name nobody."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.filter(deleted_at=None)

    @display(description="Roles")
    def roles(self, user: User) -> str:
        """The platform roles, for those who may not change them."""
        return ", ".join(roles_of(user)) or "-"

    @display(description="Factors")
    def factors(self, user: User) -> str:
        """What they have; nothing of it is shown."""
        found = factors_of(user.pk)
        app = "an authenticator app" if found.totp else "no authenticator app"
        demanded = ", demanded by a role" if found.required else ""
        return f"{app}, {found.passkeys} passkeys, {found.recovery_codes} unused recovery codes{demanded}"

    def update(self, row: User, changes: dict[str, Any]) -> None:
        """Correct the profile, give and take roles."""
        actor, wanted = staff_actor(), changes.pop("roles", None)
        if changes:
            user_update(actor=actor, user=row.uid, changes=changes)
        if wanted is None:
            return
        proof_check(actor)
        held = set(roles_of(row))
        for role in sorted(set(wanted) - held):
            user_role_give(actor=actor, user=row.uid, role=role)
        for role in sorted(held - set(wanted)):
            user_role_take(actor=actor, user=row.uid, role=role)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Iterable[str]:
        """Roles only for holders of the permission; the services ask it again."""
        shown = super().get_readonly_fields(request, obj)
        return shown if request.user.has_perm("accounts.assign_roles") else [*shown, "roles"]

    def has_suspend_permission(self, request: HttpRequest) -> bool:
        """Who may suspend."""
        return bool(request.user.has_perm("accounts.suspend_user"))

    @admin.action(description="Suspend: no sign-in, all sessions end", permissions=["suspend"])
    def suspend(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Keep them out from the next request on."""
        act = proven(lambda actor, user: user_suspend(actor=actor, user=user.uid))
        each(request, rows, act, "Suspended")

    @admin.action(description="Let in again", permissions=["suspend"])
    def unsuspend(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Let them sign in again."""
        act = proven(lambda actor, user: user_unsuspend(actor=actor, user=user.uid))
        each(request, rows, act, "Let in again")

    def has_erase_permission(self, request: HttpRequest) -> bool:
        """Who may delete accounts."""
        return bool(request.user.has_perm(DELETE_PERMISSION))

    @admin.action(
        description="Delete for good: what they own goes to the owners of its workspace",
        permissions=["erase"],
    )
    def erase(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Where somebody is the last owner of a workspace the API can name who takes over."""
        each(request, rows, proven(lambda actor, user: user_delete(actor=actor, user=user.uid)), "Deleted")

    def has_reset_factors_permission(self, request: HttpRequest) -> bool:
        """Who may take second factors away."""
        return bool(request.user.has_perm(RESET_PERMISSION))

    @admin.action(
        description="Reset second factors: they are told, all sessions end", permissions=["reset_factors"]
    )
    def reset_factors(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """For who lost their device; first make sure that it is them."""
        each(request, rows, proven(lambda actor, user: factors_reset(actor=actor, user=user.uid)), "Reset")


@admin.register(RolePolicy)
class RolePolicyAdmin(StaffAdmin):
    """Which roles demand a second factor."""

    list_display = ("role", "second_factor", "updated_at")
    list_select_related = ("group",)
    ordering = ("group__name",)
    actions = ("demand", "waive")
    fieldsets = ((None, {"fields": ("role", "second_factor", "updated_at")}),)

    @display(description="Role", ordering="group__name")
    def role(self, policy: RolePolicy) -> str:
        """Its name."""
        return policy.group.name.removeprefix(PREFIX)

    def has_demand_permission(self, request: HttpRequest) -> bool:
        """Who may change what roles demand."""
        return bool(request.user.has_perm(POLICY_PERMISSION))

    @admin.action(description="Demand a second factor, from the next request on", permissions=["demand"])
    def demand(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Who has none can only set one up from now on."""
        self._set(request, rows, second_factor=True)

    @admin.action(description="Demand none", permissions=["demand"])
    def waive(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """The factors that people have stay."""
        self._set(request, rows, second_factor=False)

    def _set(self, request: HttpRequest, rows: QuerySet[Any], *, second_factor: bool) -> None:
        each(
            request,
            rows,
            proven(
                lambda actor, row: role_policy_set(
                    actor=actor, role=self.role(row), second_factor=second_factor
                )
            ),
            "Changed",
        )


class LivenessFilter(admin.SimpleListFilter):
    """Live sessions or ended ones."""

    title = "liveness"
    parameter_name = "live"
    _LIVE = Q(revoked_at=None, expires_at__gt=Now(), last_used_at__gt=Now() - F("idle_lifetime"))

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The two choices."""
        return [("yes", "Live"), ("no", "Ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen ones, by the database's clock."""
        if self.value() not in {"yes", "no"}:
            return queryset
        return queryset.filter(self._LIVE) if self.value() == "yes" else queryset.exclude(self._LIVE)


@admin.register(Session)
class SessionAdmin(StaffAdmin):
    """Who is signed in where. No secret is shown, not even a hash."""

    list_display = ("user", "kind", "device", "address", "created_at", "last_used_at", "shown_state")
    list_filter = (LivenessFilter, "kind")
    list_select_related = ("user",)
    search_fields = ("user__name", "user__email", "=address", "=uid")
    ordering = ("-created_at",)
    actions = ("end",)
    fieldsets = (
        (None, {"fields": ("uid", "user", "kind", "device", "address")}),
        (
            "Life",
            {"fields": ("created_at", "authenticated_at", "last_used_at", "expires_at", "idle_lifetime")},
        ),
        ("End", {"fields": ("revoked_at", "revoked_reason")}),
    )

    @display(description="State", label={"open": "success", "revoked": "danger"}, ordering="revoked_at")
    def shown_state(self, session: Session) -> str:
        """Whether somebody ended it; what ran out is told by its times."""
        return "revoked" if session.revoked_at else "open"

    def has_end_permission(self, request: HttpRequest) -> bool:
        """Who may end other people's sessions."""
        return bool(request.user.has_perm("accounts.suspend_user"))

    @admin.action(description="End these sessions", permissions=["end"])
    def end(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """From the next request on."""
        each(request, rows, lambda actor, session: session_end(actor=actor, session=session.uid), "Ended")
