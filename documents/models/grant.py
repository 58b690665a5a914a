"""Who may do what: guardian's direct foreign key models, one row per subject, object and origin."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase

from cloudscribe.lib.fields import UidField
from documents import limits
from documents.models.fields import person_field


class Origin(models.TextChoices):
    """Why a grant stands. One of each may stand for the same subject and object; they add up."""

    BREAK_GLASS = "break_glass"
    DRAFT = "draft"
    OVERRIDE = "override"
    STANDING = "standing"
    TEMPORARY = "temporary"


_LASTING = [Origin.STANDING, Origin.DRAFT]
_EXPIRY = Q(origin__in=_LASTING, expires_at__isnull=True) | (
    ~Q(origin__in=_LASTING) & Q(expires_at__isnull=False)
)


class Grant(models.Model):
    """What the four tables share. The role is the permission's codename; only the grant services write it."""

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    permission = models.ForeignKey(Permission, on_delete=models.CASCADE, related_name="+", db_index=False)
    origin = models.CharField(max_length=12, choices=Origin, default=Origin.STANDING)
    granted_by = person_field()
    reason = models.CharField(max_length=limits.REASON_LENGTH, blank=True, default="")
    expires_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.permission.codename} by {self.origin}"


class UserGrant(Grant, UserObjectPermissionBase):
    """A grant to one person."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )

    class Meta:
        abstract = True


class GroupGrant(Grant, GroupObjectPermissionBase):
    """A grant to a team, by the group that stands behind it."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="+", db_index=False)

    class Meta:
        abstract = True


def _one_per_origin(subject: str, name: str) -> models.UniqueConstraint:
    return models.UniqueConstraint(
        fields=[subject, "content_object", "origin"],
        include=["permission", "expires_at"],
        name=name,
    )


def _by_end(name: str) -> models.Index:
    """For the look at what has run out, every few seconds."""
    return models.Index(fields=["expires_at"], condition=Q(expires_at__isnull=False), name=name)


class WorkspaceUserPermission(UserGrant):
    """A person's membership of a workspace."""

    content_object = models.ForeignKey(
        "documents.Workspace", on_delete=models.CASCADE, related_name="user_grants"
    )

    class Meta:
        # guardian's unique_together would make a second, useless index.
        unique_together: ClassVar[list[str]] = []
        constraints = [
            _one_per_origin("user", "documents_workspace_user_grant"),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="documents_wug_origin"),
            models.CheckConstraint(condition=_EXPIRY, name="documents_wug_expiry"),
        ]
        indexes = [_by_end("documents_wug_ends")]


class WorkspaceGroupPermission(GroupGrant):
    """A team's membership of a workspace."""

    content_object = models.ForeignKey(
        "documents.Workspace", on_delete=models.CASCADE, related_name="group_grants"
    )

    class Meta:
        unique_together: ClassVar[list[str]] = []
        constraints = [
            _one_per_origin("group", "documents_workspace_group_grant"),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="documents_wgg_origin"),
            models.CheckConstraint(condition=_EXPIRY, name="documents_wgg_expiry"),
        ]
        indexes = [_by_end("documents_wgg_ends")]


class DocumentUserPermission(UserGrant):
    """A person's grant on a document and what inherits from it."""

    content_object = models.ForeignKey(
        "documents.Document", on_delete=models.CASCADE, related_name="user_grants"
    )

    class Meta:
        unique_together: ClassVar[list[str]] = []
        constraints = [
            _one_per_origin("user", "documents_document_user_grant"),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="documents_dug_origin"),
            models.CheckConstraint(condition=_EXPIRY, name="documents_dug_expiry"),
        ]
        indexes = [_by_end("documents_dug_ends")]


class DocumentGroupPermission(GroupGrant):
    """A team's grant on a document and what inherits from it."""

    content_object = models.ForeignKey(
        "documents.Document", on_delete=models.CASCADE, related_name="group_grants"
    )

    class Meta:
        unique_together: ClassVar[list[str]] = []
        constraints = [
            _one_per_origin("group", "documents_document_group_grant"),
            models.CheckConstraint(condition=Q(origin__in=Origin.values), name="documents_dgg_origin"),
            models.CheckConstraint(condition=_EXPIRY, name="documents_dgg_expiry"),
        ]
        indexes = [_by_end("documents_dgg_ends")]
