"""Staff's view of the rate limits."""

from __future__ import annotations

from django.contrib import admin
from django.forms import ModelForm
from django.http import HttpRequest

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

    def save_model(
        self, request: HttpRequest, obj: RateLimitPolicy, form: ModelForm[RateLimitPolicy], change: bool
    ) -> None:
        """Through the service, which writes the event."""
        changes = {name: form.cleaned_data[name] for name in form.changed_data if name in self.editable}
        rate_limit_update(actor=staff_actor(), policy=obj.uid, changes=changes)

    def log_change(self, request: HttpRequest, obj: object, message: object) -> None:
        """Not in Django's own log: the audit trail has it, with before and after."""
