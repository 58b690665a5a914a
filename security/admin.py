"""Staff's view of the rate limits and of who is let in and kept out."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from unfold.decorators import display

from cloudscribe.lib.admin import StaffAdmin, each, staff_actor
from security.ip_rules import parse_network
from security.models import IPRule, RateLimitPolicy
from security.services import ip_rule_create, ip_rule_remove, ip_rule_update, rate_limit_update


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


class IPRuleForm(forms.ModelForm):  # type: ignore[type-arg]
    """A rule as staff type it."""

    force = forms.BooleanField(
        required=False, help_text="Do it although the network is very wide or your own address is in it."
    )

    def clean_network(self) -> str:
        """The network as it is stored."""
        try:
            return str(parse_network(self.cleaned_data["network"]))
        except ValueError as error:
            raise ValidationError("This is no address and no CIDR.") from error

    def clean(self) -> dict[str, Any]:
        """Without the model's own look for a twin: the service says it better, and lets a dead one go."""
        return self.cleaned_data


class LivenessFilter(admin.SimpleListFilter):
    """Rules that hold, or those that ran out."""

    title = "liveness"
    parameter_name = "live"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The two choices."""
        return [("yes", "Holds"), ("no", "Ran out")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen ones, by the database's clock."""
        if self.value() not in {"yes", "no"}:
            return queryset
        over = {"expires_at__lte": Now()}
        return queryset.exclude(**over) if self.value() == "yes" else queryset.filter(**over)


@admin.register(IPRule)
class IPRuleAdmin(StaffAdmin):
    """Who is let in and kept out; a change holds on all workers within five seconds."""

    form = IPRuleForm
    list_display = ("network", "shown_effect", "origin", "reason", "expires_at", "created_at")
    list_filter = (LivenessFilter, "effect", "origin")
    search_fields = ("=network", "reason")
    ordering = ("-id",)
    editable = ("reason", "expires_at", "force")
    actions = ("remove",)
    fieldsets = (
        (None, {"fields": ("network", "effect", "reason", "expires_at", "force")}),
        ("Origin", {"fields": ("origin", "created_at", "updated_at")}),
    )
    add_fieldsets = ((None, {"fields": ("network", "effect", "reason", "expires_at", "force")}),)

    @display(description="Effect", label={"allow": "success", "block": "danger"}, ordering="effect")
    def shown_effect(self, rule: IPRule) -> str:
        """As a coloured label."""
        return rule.effect

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may make rules: they are added by hand, through the service."""
        return bool(request.user.has_perm("security.add_iprule"))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Make or change the rule by its service."""
        values = form.cleaned_data
        if change:
            changes = {name: values[name] for name in form.changed_data if name != "force"}
            ip_rule_update(actor=staff_actor(), rule=obj.uid, changes=changes, force=values["force"])
            return
        made = ip_rule_create(
            actor=staff_actor(),
            network=values["network"],
            effect=values["effect"],
            reason=values["reason"],
            expires_at=values["expires_at"],
            force=values["force"],
        )
        obj.pk, obj.uid = made.pk, made.uid

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Not in Django's own log: the audit trail has it."""

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Who may take rules away."""
        return bool(request.user.has_perm("security.delete_iprule"))

    @admin.action(description="Take these rules away", permissions=["remove"])
    def remove(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """From the next seconds on."""
        each(request, rows, lambda actor, rule: ip_rule_remove(actor=actor, rule=rule.uid), "Taken away")
