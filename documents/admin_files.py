"""Staff's view of files: how large, of what kind, whose. What is in them is not reachable from here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from cloudscribe.lib.admin import StaffAdmin, each
from documents.models import Attachment, Blob
from documents.services.blob_work import BLOB_STAFF, blob_rescan

_COLOURS = {"ready": "success", "scanning": "warning", "infected": "danger"}


class AttachmentAdmin(StaffAdmin):
    """Files of documents by their names."""

    list_display = ("name", "document", "content_type", "size", "shown_state", "created_by", "created_at")
    list_filter = ("blob__state", "blob__content_type")
    list_select_related = ("document", "blob", "created_by")
    search_fields = ("name", "=uid", "=document__uid")
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": ("name", "uid", "document", "blob", "content_type", "size")}),
        ("Life", {"fields": ("created_by", "created_at", "updated_at")}),
    )

    @display(description="Type", ordering="blob__content_type")
    def content_type(self, attachment: Attachment) -> str:
        """By its bytes."""
        return str(attachment.blob.content_type)

    @display(description="Bytes", ordering="blob__size")
    def size(self, attachment: Attachment) -> int:
        """How large it is."""
        return int(attachment.blob.size)

    @display(description="State", label=_COLOURS, ordering="blob__state")
    def shown_state(self, attachment: Attachment) -> str:
        """As a coloured label."""
        return str(attachment.blob.state)


class BlobAdmin(StaffAdmin):
    """Content in the storage, once for all that share it."""

    list_display = (
        "digest",
        "content_type",
        "size",
        "shown_state",
        "finding",
        "uses",
        "created_at",
        "unused_since",
    )
    list_filter = ("state", "removing", "content_type")
    ordering = ("-pk",)
    actions = ("rescan",)
    fieldsets = (
        (None, {"fields": ("digest", "path", "content_type", "size", "width", "height", "has_thumbnail")}),
        ("Scan", {"fields": ("state", "finding")}),
        ("Life", {"fields": ("created_at", "unused_since", "removing")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the number of attachments that share it."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(use_count=Count("attachments"))
        return rows

    @display(description="Attachments", ordering="use_count")
    def uses(self, blob: Any) -> int:
        """How many attachments share it."""
        return int(blob.use_count)

    @display(description="State", label=_COLOURS, ordering="state")
    def shown_state(self, blob: Blob) -> str:
        """As a coloured label."""
        return str(blob.state)

    def has_rescan_permission(self, request: HttpRequest) -> bool:
        """Who may have the scanner look again."""
        return bool(request.user.has_perm(BLOB_STAFF))

    @admin.action(description="Have the scanner look again", permissions=["rescan"])
    def rescan(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Nobody gets them until it has."""
        each(request, rows, lambda actor, blob: blob_rescan(actor=actor, pk=blob.pk), "Asked for")
