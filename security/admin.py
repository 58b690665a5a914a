"""Staff's view of the rate limits."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from cloudscribe.lib.admin import StaffAdmin, staff_actor
from security.models import RateLimitPolicy
from security.services import rate_limit_update


@admin.register(RateLimitPolicy)
class RateLimitPolicyAdmin(StaffAdmin):
    """The limits; a change holds on all workers within seconds."""

    list_display = ("scope", "key", "requests", "seconds", "enabled", "updated_at")
    ordering = ("scope", "key")
    editable = ("requests", "seconds", "enabled")
    fieldsets = ((None, {"fields": ("scope", "key", "requests", "seconds", "enabled", "updated_at")}),)

    def update(self, row: RateLimitPolicy, changes: dict[str, Any]) -> None:
        """Change the limit."""
        rate_limit_update(actor=staff_actor(), policy=row.uid, changes=changes)
