"""Staff's view of tokens and service accounts: they look and end; nobody mints for others here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from unfold.decorators import display

from accounts.models import ServiceAccount, Token
from accounts.selectors import MANAGE_SERVICES
from accounts.services.service_accounts import service_account_delete
from accounts.services.tokens import token_revoke
from cloudscribe.lib.admin import StaffAdmin, each


class TokenLivenessFilter(admin.SimpleListFilter):
    """Live tokens or ended ones."""

    title = "liveness"
    parameter_name = "live"
    _LIVE = Q(revoked_at=None, expires_at__gt=Now())

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The two choices."""
        return [("yes", "Live"), ("no", "Ended")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen ones, by the database's clock."""
        if self.value() not in {"yes", "no"}:
            return queryset
        return queryset.filter(self._LIVE) if self.value() == "yes" else queryset.exclude(self._LIVE)


class TokenAdmin(StaffAdmin):
    """Who has which tokens, and how far they reach. No secret is shown, not even a hash."""

    list_display = ("name", "hint", "user", "expires_at", "last_used_at", "last_used_address", "shown_state")
    list_filter = (TokenLivenessFilter, "user__kind")
    list_select_related = ("user",)
    search_fields = ("name", "user__name", "user__email", "=hint", "=uid", "=last_used_address")
    ordering = ("-created_at",)
    actions = ("revoke",)
    fieldsets = (
        (None, {"fields": ("name", "uid", "hint", "user", "minted_by_uid")}),
        ("Reach", {"fields": ("scopes", "workspace_uid", "document_uid", "cidrs")}),
        ("Life", {"fields": ("created_at", "expires_at", "last_used_at", "last_used_address")}),
        ("End", {"fields": ("revoked_at", "revoked_reason")}),
    )

    @display(description="State", label={"open": "success", "revoked": "danger"}, ordering="revoked_at")
    def shown_state(self, token: Token) -> str:
        """Whether somebody ended it; what ran out is told by its times."""
        return "revoked" if token.revoked_at else "open"

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Who may end other people's credentials."""
        return bool(request.user.has_perm("accounts.suspend_user"))

    @admin.action(description="Revoke these tokens and all that they minted", permissions=["revoke"])
    def revoke(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """From the next request on."""
        each(
            request,
            rows,
            lambda actor, token: token_revoke(actor=actor, token=token, reason="ended by staff"),
            "Revoked",
        )


class ServiceAccountAdmin(StaffAdmin):
    """Programs with access of their own."""

    list_display = ("shown_name", "description", "workspace_uid", "created_by", "shown_state", "created_at")
    list_select_related = ("user", "created_by")
    search_fields = ("user__name", "description", "=user__uid", "=workspace_uid")
    ordering = ("-created_at",)
    actions = ("remove",)
    fieldsets = (
        (None, {"fields": ("user", "description", "workspace_uid")}),
        ("Origin", {"fields": ("created_by", "created_at")}),
    )

    @display(description="Name", ordering="user__name")
    def shown_name(self, account: ServiceAccount) -> str:
        """The name that grants show."""
        return account.user.name

    @display(description="State", label={"active": "success", "suspended": "danger"})
    def shown_state(self, account: ServiceAccount) -> str:
        """As a coloured label; suspending is done on the page of users."""
        return "active" if account.user.is_active else "suspended"

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Who manages all of them."""
        return bool(request.user.has_perm(MANAGE_SERVICES))

    @admin.action(description="Delete these accounts with their tokens and grants", permissions=["remove"])
    def remove(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """From the next request on."""
        each(
            request,
            rows,
            lambda actor, account: service_account_delete(actor=actor, account=account.user.uid),
            "Deleted",
        )
