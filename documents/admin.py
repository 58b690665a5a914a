"""Staff's view of workspaces and documents: how they stand, never what is in them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from cloudscribe.lib.admin import StaffAdmin, each
from documents.admin_comments import CommentAdmin, ThreadAdmin
from documents.admin_files import AttachmentAdmin, BlobAdmin
from documents.admin_keeping import HeldAdmin, HoldAdmin, SnapshotAdmin
from documents.admin_webhooks import DeliveryAdmin, WebhookAdmin
from documents.models import (
    Attachment,
    Blob,
    Comment,
    Delivery,
    Document,
    Hold,
    Invitation,
    InvitationState,
    LinkState,
    ShareLink,
    Snapshot,
    Thread,
    Webhook,
    Workspace,
    WorkspaceGroupPermission,
    WorkspaceUserPermission,
)
from documents.selectors.invitations import invitations_in
from documents.services.invitations import INVITATION_STAFF, invitation_withdraw
from documents.services.links import LINK_STAFF, link_withdraw

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
class WorkspaceAdmin(HeldAdmin):
    """Workspaces with their members and policies."""

    list_display = ("name", "slug", "default_language", "documents", "created_at")
    search_fields = ("name", "slug")
    ordering = ("-created_at",)
    inlines = (UserMemberInline, TeamMemberInline)
    fieldsets = (
        (None, {"fields": ("name", "slug", "uid", "description", "default_language")}),
        ("Links", {"fields": ("links_allowed", "edit_links_allowed", "link_lifetime_days")}),
        ("Kept", {"fields": ("shown_holds", "trash_days", "revision_retention_days", "reads_audited")}),
        ("Life", {"fields": ("created_by", "created_at", "updated_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Workspace]:
        """With the number of documents that are not in the trash."""
        rows: QuerySet[Workspace] = super().get_queryset(request)
        return rows.annotate(document_count=Count("document"))

    @display(description="Documents", ordering="document_count")
    def documents(self, workspace: Any) -> int:
        """How many documents it holds, those in the trash included."""
        return int(workspace.document_count)


@admin.register(Document)
class DocumentAdmin(HeldAdmin):
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
        ("Kept", {"fields": ("shown_holds",)}),
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


class InvitationStateFilter(admin.SimpleListFilter):
    """Invitations of one state."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """Every state."""
        return [(state.value, state.value.capitalize()) for state in InvitationState]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen ones, by the database's clock."""
        known = {state.value for state in InvitationState}
        chosen = self.value()
        return invitations_in(queryset, InvitationState(chosen)) if chosen in known else queryset


@admin.register(Invitation)
class InvitationAdmin(StaffAdmin):
    """Who was invited where, by whom. The mailed token is nowhere."""

    list_display = ("email", "workspace", "role", "invited_by", "shown_state", "sent_count", "expires_at")
    list_filter = (InvitationStateFilter,)
    list_select_related = ("workspace", "invited_by")
    search_fields = ("email", "=uid", "workspace__name")
    ordering = ("-created_at",)
    actions = ("revoke",)
    fieldsets = (
        (None, {"fields": ("email", "uid", "workspace", "role", "grant_expires_at", "invited_by")}),
        ("Mails", {"fields": ("sent_count", "last_sent_at")}),
        ("Life", {"fields": ("created_at", "expires_at", "accepted_at", "accepted_by", "revoked_at")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the database's clock, by which they end."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(clock=Now())
        return rows

    @display(
        description="State",
        label={"open": "info", "accepted": "success", "revoked": "danger", "expired": "warning"},
    )
    def shown_state(self, invitation: Any) -> str:
        """As a coloured label."""
        return str(invitation.state_at(invitation.clock))

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Who may take back other people's invitations."""
        return bool(request.user.has_perm(INVITATION_STAFF))

    @admin.action(description="Take these invitations back", permissions=["revoke"])
    def revoke(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Their tokens open nothing from now on."""
        each(
            request,
            rows,
            lambda actor, invitation: invitation_withdraw(actor=actor, invitation=invitation.uid),
            "Taken back",
        )


admin.site.register(Attachment, AttachmentAdmin)
admin.site.register(Comment, CommentAdmin)
admin.site.register(Thread, ThreadAdmin)
admin.site.register(Hold, HoldAdmin)
admin.site.register(Snapshot, SnapshotAdmin)
admin.site.register(Webhook, WebhookAdmin)
admin.site.register(Delivery, DeliveryAdmin)
admin.site.register(Blob, BlobAdmin)


class LinkRevokedFilter(admin.SimpleListFilter):
    """Links that somebody closed, or the others."""

    title = "revoked"
    parameter_name = "revoked"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The two choices."""
        return [("no", "No"), ("yes", "Yes")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen ones."""
        if self.value() not in {"no", "yes"}:
            return queryset
        return queryset.filter(revoked_at__isnull=self.value() == "no")


@admin.register(ShareLink)
class ShareLinkAdmin(StaffAdmin):
    """Which documents are open by a link, how far, and how often that was used. The secrets are nowhere."""

    list_display = ("document", "workspace", "role", "has_password", "shown_state", "use_count", "created_by")
    list_filter = (LinkRevokedFilter, "role", "include_children")
    list_select_related = ("document__workspace", "created_by")
    search_fields = ("=uid", "=document__uid", "document__title", "document__workspace__name")
    ordering = ("-created_at",)
    actions = ("revoke",)
    fieldsets = (
        (None, {"fields": ("uid", "document", "role", "include_children", "has_password")}),
        ("Bounds", {"fields": ("expires_at", "max_uses", "use_count", "last_used_at")}),
        ("Life", {"fields": ("created_at", "created_by", "updated_at", "revoked_at", "revoked_by")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the database's clock, by which they end."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(clock=Now())
        return rows

    @display(description="Workspace", ordering="document__workspace__name")
    def workspace(self, link: ShareLink) -> str:
        """Where the document stands."""
        return link.document.workspace.name

    @display(description="Password", boolean=True)
    def has_password(self, link: ShareLink) -> bool:
        """Whether it asks for one; not even the hash is shown."""
        return bool(link.password)

    @display(
        description="State",
        label={"live": "success", "revoked": "danger", "expired": "warning", "spent": "info"},
    )
    def shown_state(self, link: Any) -> LinkState:
        """As a coloured label."""
        state: LinkState = link.state_at(link.clock, link.document.workspace.link_lifetime_days)
        return state

    def has_revoke_permission(self, request: HttpRequest) -> bool:
        """Who may close other people's links."""
        return bool(request.user.has_perm(LINK_STAFF))

    @admin.action(description="Revoke these links", permissions=["revoke"])
    def revoke(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """They open nothing from the next request on."""
        each(request, rows, lambda actor, link: link_withdraw(actor=actor, link=link.uid), "Revoked")
