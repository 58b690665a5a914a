"""Staff's view of who people are at the sign-in provider: they look; linking takes the person's own proof."""

from __future__ import annotations

from cloudscribe.lib.admin import StaffAdmin


class IdentityAdmin(StaffAdmin):
    """Which accounts are linked, and when that was last used."""

    list_display = ("user", "issuer", "subject", "email", "last_used_at", "created_at")
    list_filter = ("issuer",)
    list_select_related = ("user",)
    search_fields = ("user__name", "user__email", "=subject", "email", "=uid")
    ordering = ("-created_at",)
    fieldsets = (
        (None, {"fields": ("user", "uid")}),
        ("At the provider", {"fields": ("issuer", "subject", "email")}),
        ("Life", {"fields": ("created_at", "last_used_at")}),
    )
