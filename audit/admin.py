"""The audit trail as staff read it; nothing here writes."""

from __future__ import annotations

import json
from typing import Any

from auditlog.models import LogEntry
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from unfold.decorators import display

from audit.models import Event
from cloudscribe.lib.admin import StaffAdmin

# One trail for staff: an event holds the fields' before and after and names auditlog's entry.
admin.site.unregister(LogEntry)


@admin.register(Event)
class EventAdmin(StaffAdmin):
    """Events, newest first, with the personal part where it was not erased."""

    list_display = ("sequence", "at", "action", "who", "what", "address", "request_id")
    list_select_related = ("detail",)
    search_fields = ("=action", "=actor_uid", "=target_uid", "=request_id")
    list_filter = ("target_type", "actor_kind", "credential_kind")
    ordering = ("-sequence",)
    actions = None
    fieldsets = (
        (None, {"fields": ("sequence", "at", "action", "count")}),
        ("Who", {"fields": ("who", "actor_kind", "actor_uid", "on_behalf_of", "address")}),
        ("By what", {"fields": ("credential_kind", "credential_uid", "request_id")}),
        (
            "What",
            {"fields": ("what", "target_type", "target_uid", "workspace_uid", "facts", "changes", "reason")},
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Event]:
        """With the personal parts, in one query."""
        rows: QuerySet[Event] = super().get_queryset(request)
        return rows.select_related("detail")

    @staticmethod
    def _detail(event: Event) -> dict[str, Any]:
        detail = getattr(event, "detail", None)
        return detail.content if detail else {}

    @display(description="Who")
    def who(self, event: Event) -> str:
        """The actor's name as of then."""
        return self._detail(event).get("actor") or event.actor_kind

    @display(description="What")
    def what(self, event: Event) -> str:
        """The target's name as of then."""
        return f"{event.target_type} {self._detail(event).get('target') or ''}".strip()

    @display(description="Address")
    def address(self, event: Event) -> str:
        """The client's address."""
        return self._detail(event).get("address") or "-"

    @display(description="Reason")
    def reason(self, event: Event) -> str:
        """Why, where the act needed a reason."""
        return self._detail(event).get("reason") or "-"

    @display(description="Changes")
    def changes(self, event: Event) -> str:
        """Before and after of each field."""
        changes = json.dumps(self._detail(event).get("changes") or {}, indent=2, ensure_ascii=False)
        return format_html("<pre>{}</pre>", changes)
