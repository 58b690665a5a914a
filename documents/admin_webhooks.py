"""Staff's view of webhooks and of what is sent to them: looked at, switched off, sent again; never read."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from cloudscribe.lib.admin import StaffAdmin, each
from documents.services.webhooks import WEBHOOK_STAFF, delivery_resend, webhook_withdraw

_COLOURS = {"delivered": "success", "pending": "info", "failed": "danger", "withheld": "warning"}


class WebhookAdmin(StaffAdmin):
    """Where news of workspaces goes and how it fares there. Of an address the host alone is shown."""

    list_display = ("shown_host", "workspace", "speaks_for", "enabled", "failures", "failing_since")
    list_filter = ("enabled", "disabled_reason")
    list_select_related = ("workspace", "speaks_for")
    search_fields = ("=uid", "workspace__name")
    ordering = ("-created_at",)
    actions = ("switch_off",)
    fieldsets = (
        (None, {"fields": ("uid", "workspace", "shown_host", "events", "speaks_for")}),
        ("State", {"fields": ("enabled", "disabled_reason", "failures", "failing_since", "resting_until")}),
        ("Life", {"fields": ("previous_until", "created_at", "updated_at")}),
    )

    @display(description="Leads to")
    def shown_host(self, webhook: Any) -> str:
        """Path and query may hold a secret of the receiver's."""
        return urlsplit(webhook.url).hostname or ""

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """Who may switch webhooks off, and have something sent again."""
        return bool(request.user.has_perm(WEBHOOK_STAFF))

    @admin.action(description="Switch these webhooks off", permissions=["switch"])
    def switch_off(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Nothing more is sent to them until a manager switches them on again."""
        each(request, rows, lambda actor, row: webhook_withdraw(actor=actor, webhook=row.uid), "Switched off")


class DeliveryAdmin(StaffAdmin):
    """What was sent and is to be sent, without what it says."""

    list_display = ("action", "sequence", "webhook", "shown_status", "attempts", "response_status", "reason")
    list_filter = ("status", "reason")
    list_select_related = ("webhook",)
    search_fields = ("=uid", "=webhook__uid")
    ordering = ("-created_at",)
    actions = ("redeliver",)
    fieldsets = (
        (None, {"fields": ("uid", "webhook", "action", "sequence", "status")}),
        ("Attempts", {"fields": ("attempts", "attempted_at", "response_status", "reason", "duration_ms")}),
        ("Life", {"fields": ("created_at", "next_at", "finished_at")}),
    )

    @display(description="Status", label=_COLOURS)
    def shown_status(self, delivery: Any) -> str:
        """In colour."""
        return str(delivery.status)

    def has_switch_permission(self, request: HttpRequest) -> bool:
        """As for webhooks."""
        return bool(request.user.has_perm(WEBHOOK_STAFF))

    @admin.action(description="Send these once more", permissions=["switch"])
    def redeliver(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """With the same ids and bodies."""
        each(request, rows, lambda actor, row: delivery_resend(actor=actor, delivery=row.uid), "To be sent")
