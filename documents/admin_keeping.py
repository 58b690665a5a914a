"""Staff's view of what keeps documents from being lost: legal holds, which they release, and snapshots."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from cloudscribe.lib.admin import StaffAdmin, each
from documents.models import Hold
from documents.services.holds import PERMISSION, hold_release


class HoldAdmin(StaffAdmin):
    """What has to be kept for the law. They are placed through the API, with a reason."""

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

    @display(description="Stands on")
    def shown_target(self, hold: Hold) -> str:
        """By its name of today."""
        return str(hold.document or hold.workspace)

    @display(description="Stands", boolean=True)
    def stands(self, hold: Hold) -> bool:
        """Whether it wasn't released."""
        return hold.released_at is None

    def has_release_permission(self, request: HttpRequest) -> bool:
        """Who may place and release holds."""
        return bool(request.user.has_perm(PERMISSION))

    @admin.action(description="Release these holds", permissions=["release"])
    def release(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """What they stood on can be removed from now on."""
        each(request, rows, lambda actor, hold: hold_release(actor=actor, hold=hold), "Released")


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
