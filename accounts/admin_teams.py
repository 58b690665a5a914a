"""Staff's view of teams; every change is a service's."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, Exists, OuterRef, QuerySet
from django.http import HttpRequest
from unfold.decorators import display
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminEmailInputWidget

from accounts.models import Team, TeamManager, User
from accounts.selectors import user_by_email
from accounts.services.teams import (
    TEAM_FIELDS,
    team_delete,
    team_member_add,
    team_member_change,
    team_member_remove,
    team_update,
)
from accounts.visibility import MANAGE_TEAMS
from cloudscribe.lib.admin import StaffAdmin, each, staff_actor


class TeamForm(forms.ModelForm):  # type: ignore[type-arg]
    """A team and who is in it. The group behind it is no field: its name says that it is no role."""

    add_member = forms.EmailField(
        required=False,
        widget=UnfoldAdminEmailInputWidget,
        help_text="The address of somebody to put into the team.",
    )
    manage = forms.MultipleChoiceField(
        required=False,
        label="Managers",
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text="Who manages it.",
    )
    remove = forms.MultipleChoiceField(
        required=False, label="Remove", widget=UnfoldAdminCheckboxSelectMultipleWidget, help_text="Who goes."
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.instance.pk or "manage" not in self.fields:
            return
        managed = TeamManager.objects.filter(team=self.instance, user_id=OuterRef("pk"))
        members = User.objects.filter(groups=self.instance.group_id).annotate(manages=Exists(managed))
        rows = list(members.order_by("name", "pk"))
        choices = [(str(row.uid), f"{row.name} ({row.email})") for row in rows]
        self.fields["manage"].choices = self.fields["remove"].choices = choices  # type: ignore[attr-defined]
        self.initial["manage"] = [str(row.uid) for row in rows if row.manages]

    def clean_add_member(self) -> User | None:
        """The person of the address."""
        address = self.cleaned_data["add_member"]
        person = user_by_email(address) if address else None
        if address and person is None:
            raise forms.ValidationError("Nobody has this address.")
        return person


class TeamAdmin(StaffAdmin):
    """Teams, for holders of the permission to manage all of them."""

    form = TeamForm
    list_display = ("name", "shown_members", "created_at", "updated_at")
    search_fields = ("name", "=uid")
    ordering = ("-created_at",)
    editable = (*TEAM_FIELDS, "add_member", "manage", "remove")
    actions = ("dissolve",)
    fieldsets = (
        (None, {"fields": ("name", "description", "uid")}),
        ("People", {"fields": ("add_member", "manage", "remove")}),
        ("Times", {"fields": ("created_at", "updated_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the number of members."""
        teams: QuerySet[Any] = super().get_queryset(request).annotate(people=Count("group__user"))
        return teams

    @display(description="Members", ordering="people")
    def shown_members(self, team: Any) -> int:
        """How many people are in it."""
        return int(team.people)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may change any team."""
        return bool(request.user.has_perm(MANAGE_TEAMS))

    def update(self, row: Team, changes: dict[str, Any]) -> None:
        """Call the service of each thing that was changed, newcomers first, so that a manager is left."""
        actor, team = staff_actor(), row.uid
        profile = {name: changes[name] for name in TEAM_FIELDS if name in changes}
        if profile:
            team_update(actor=actor, team=team, changes=profile)
        if changes.get("add_member"):
            team_member_add(actor=actor, team=team, user=changes["add_member"].uid)
        managers = TeamManager.objects.filter(team=row).values_list("user__uid", flat=True)
        before = {str(uid) for uid in managers}
        wanted = set(changes.get("manage", before))
        for uid in sorted(wanted - before):
            team_member_change(actor=actor, team=team, user=uuid.UUID(uid), manager=True)
        for uid in sorted(before - wanted):
            team_member_change(actor=actor, team=team, user=uuid.UUID(uid), manager=False)
        for uid in changes.get("remove", ()):
            team_member_remove(actor=actor, team=team, user=uuid.UUID(uid))

    def has_dissolve_permission(self, request: HttpRequest) -> bool:
        """Who may delete any team."""
        return bool(request.user.has_perm(MANAGE_TEAMS))

    @admin.action(description="Delete, with all that they were granted", permissions=["dissolve"])
    def dissolve(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Their members lose what came by the team from the next request on."""
        each(request, rows, lambda actor, team: team_delete(actor=actor, team=team.uid), "Deleted")
