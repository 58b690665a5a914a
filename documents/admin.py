"""Staff's view of workspaces and documents: how they stand, never what is in them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from cloudscribe.lib.admin import StaffAdmin
from documents.models import Document, Workspace, WorkspaceGroupPermission, WorkspaceUserPermission

STATE_COLOURS = {"published": "success", "draft": "warning", "archived": "info"}


class MemberInline(TabularInline):
    """The members of a workspace; changed through the API by those who may."""

    extra = 0
    can_delete = False
    fields = readonly_fields = ("subject", "role", "origin", "expires_at", "granted_by", "created_at")

    @display(description="Role")
    def role(self, grant: Any) -> str:
        """The role by its name."""
        return str(grant.permission.codename.partition("_")[0])

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """All of it in one query."""
        rows: QuerySet[Any] = super().get_queryset(request)
        return rows.select_related("permission", "granted_by")

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Shown only."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Shown only."""
        return False


class UserMemberInline(MemberInline):
    """People."""

    model = WorkspaceUserPermission
    verbose_name_plural = "people"

    @display(description="Person")
    def subject(self, grant: WorkspaceUserPermission) -> str:
        """Whom."""
        return str(grant.user)


class TeamMemberInline(MemberInline):
    """Teams."""

    model = WorkspaceGroupPermission
    verbose_name_plural = "teams"

    @display(description="Team")
    def subject(self, grant: WorkspaceGroupPermission) -> str:
        """Which."""
        return str(getattr(grant.group, "team", grant.group))


@admin.register(Workspace)
class WorkspaceAdmin(StaffAdmin):
    """Workspaces with their members and policies."""

    list_display = ("name", "slug", "default_language", "documents", "created_at")
    search_fields = ("name", "slug")
    ordering = ("-created_at",)
    inlines = (UserMemberInline, TeamMemberInline)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        """With the number of documents that are not in the trash."""
        rows: QuerySet[Workspace] = super().get_queryset(request)
        return rows.annotate(document_count=Count("document"))

    @display(description="Documents", ordering="document_count")
    def documents(self, workspace: Any) -> int:
        """How many documents it holds, those in the trash included."""
        return int(workspace.document_count)


@admin.register(Document)
class DocumentAdmin(StaffAdmin):
    """Documents by their metadata. The body is not reachable from here."""

    list_display = (
        "title",
        "workspace",
        "shown_state",
        "language",
        "revision",
        "owner",
        "updated_at",
        "is_trashed",
    )
    list_filter = ("state", "language", "template")
    list_select_related = ("workspace", "owner")
    search_fields = ("=uid", "title")
    ordering = ("-updated_at",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "title",
                    "uid",
                    "workspace",
                    "parent",
                    "state",
                    "language",
                    "tags",
                    "icon",
                    "template",
                )
            },
        ),
        (
            "Responsibility",
            {"fields": ("owner", "created_by", "created_at", "updated_by", "updated_at", "revision")},
        ),
        ("Access", {"fields": ("inherits_access", "depth")}),
        (
            "Trash and lock",
            {"fields": ("trashed_at", "trashed_by", "locked_by", "lock_expires_at", "lock_reason")},
        ),
    )

    @display(description="State", label=STATE_COLOURS, ordering="state")
    def shown_state(self, document: Document) -> str:
        """As a coloured label."""
        return document.state

    @display(description="In the trash", boolean=True)
    def is_trashed(self, document: Document) -> bool:
        """Whether it lies in the trash."""
        return document.is_trashed
