"""Staff's view of what keeps documents from being lost: legal holds, placed and released here; snapshots."""

from __future__ import annotations

import uuid
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html_join
from unfold.decorators import action, display
from unfold.forms import ActionForm
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from accounts.admin_proof import proven
from cloudscribe.lib.admin import StaffAdmin, each, staff_actor
from cloudscribe.lib.errors import NotFound
from documents import limits
from documents.models import Document, Hold, Workspace
from documents.selectors.holds import hold_target, holds_of
from documents.services.holds import PERMISSION, hold_place, hold_release

_ADD = "admin:documents_hold_add"
_REASON_CLASS = "bg-white/20 grow placeholder-white px-2 py-1 rounded-default"


class HoldForm(forms.ModelForm):  # type: ignore[type-arg]
    """A hold as staff place it."""

    target = forms.UUIDField(
        label="On",
        help_text="The id of a document, which is held with all below it, or of a workspace.",
        widget=UnfoldAdminTextInputWidget,
    )

    class Meta:
        model = Hold
        fields: ClassVar = ["reason"]
        widgets: ClassVar = {"reason": UnfoldAdminTextareaWidget}

    def clean_target(self) -> Document | Workspace:
        """What has the id; whoever places holds need not see what they are put on."""
        return _target(self.cleaned_data["target"])


def _target(uid: uuid.UUID) -> Document | Workspace:
    for kind in ("document", "workspace"):
        try:
            return hold_target(kind, uid)
        except NotFound:
            continue
    raise ValidationError("No document and no workspace has this id.")


class ReleaseForm(ActionForm):
    """The list's actions, with a word on why."""

    reason = forms.CharField(
        label="",
        required=False,
        max_length=limits.REASON_LENGTH,
        widget=forms.TextInput({"placeholder": "Why", "aria-label": "Why", "class": _REASON_CLASS}),
    )


class HoldAdmin(StaffAdmin):
    """What has to be kept for the law: placed and released with a reason, by holders of the permission."""

    form = HoldForm
    action_form = ReleaseForm
    list_display = ("shown_target", "reason", "placed_by", "created_at", "stands", "released_by")
    list_filter = (("released_at", admin.EmptyFieldListFilter),)
    list_select_related = ("workspace", "document", "placed_by", "released_by")
    search_fields = ("=uid", "reason", "workspace__name", "document__title")
    ordering = ("-created_at",)
    actions = ("release",)
    fieldsets = (
        (None, {"fields": ("uid", "workspace", "document", "reason")}),
        ("Life", {"fields": ("placed_by", "created_at", "released_by", "released_at")}),
    )
    add_fieldsets = ((None, {"fields": ("target", "reason")}),)

    @display(description="Stands on")
    def shown_target(self, hold: Hold) -> str:
        """By its name of today."""
        return str(hold.document or hold.workspace)

    @display(description="Stands", boolean=True)
    def stands(self, hold: Hold) -> bool:
        """Whether it wasn't released."""
        return hold.released_at is None

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may place holds."""
        return self.has_release_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who may place and release them sees them, too."""
        return self.has_release_permission(request) or bool(super().has_view_permission(request, obj))

    def has_release_permission(self, request: HttpRequest) -> bool:
        """Who may place and release holds."""
        return bool(request.user.has_perm(PERMISSION))

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Place the hold by its service."""
        values = form.cleaned_data
        made = hold_place(actor=staff_actor(), target=values["target"], reason=values["reason"])
        obj.pk, obj.uid = made.pk, made.uid

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None:
        """Not in Django's own log: the audit trail has it."""

    @admin.action(description="Release these holds", permissions=["release"])
    def release(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """What they stood on can be removed from now on."""
        reason = request.POST.get("reason", "").strip()
        if not reason:
            messages.error(request, "Say why they are released.")
            return
        act = proven(lambda actor, hold: hold_release(actor=actor, hold=hold, reason=reason))
        each(request, rows, act, "Released")


class HeldAdmin(StaffAdmin):
    """A page of something that legal holds stand on: it tells of them and leads to a new one."""

    model: type[Document | Workspace]
    actions_detail = ("place_hold",)

    @display(description="Legal holds")
    def shown_holds(self, row: Document | Workspace) -> str:
        """Those that stand on it, above it, or of a workspace anywhere in it."""
        standing = holds_of(row).filter(released_at__isnull=True).order_by("-created_at")
        links = ((reverse("admin:documents_hold_change", args=[hold.pk]), hold.reason) for hold in standing)
        return format_html_join(", ", '<a href="{}">{}</a>', links) or "-"

    def has_hold_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Who may place holds."""
        return bool(request.user.has_perm(PERMISSION))

    @action(description="Place a legal hold", url_path="hold", permissions=["hold"])
    def place_hold(self, request: HttpRequest, object_id: str) -> HttpResponseBase:
        """To the form, with this page's row filled in."""
        uid = self.model.objects.values_list("uid", flat=True).filter(pk=object_id).first()
        return HttpResponseRedirect(f"{reverse(_ADD)}?target={uid or ''}")


class SnapshotAdmin(StaffAdmin):
    """Named moments; made and gone back to through the API by those who may."""

    list_display = ("name", "workspace", "root", "at", "documents", "created_by")
    list_select_related = ("workspace", "root", "created_by")
    search_fields = ("name", "=uid", "workspace__name")
    ordering = ("-at",)
    fieldsets = (
        (None, {"fields": ("name", "uid", "workspace", "root", "at", "documents")}),
        ("Life", {"fields": ("created_by", "created_at", "updated_at")}),
    )
