"""A workspace: the room in which documents stand, with its members and its policies."""

from __future__ import annotations

from django.db import models
from django.db.models.functions import Now

from cloudscribe.lib.fields import UidField
from documents import limits
from documents.models.fields import person_field


class Workspace(models.Model):
    """A room of documents. Its members are the grants on it; there is no second table."""

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    name = models.CharField(max_length=limits.NAME_LENGTH)
    slug = models.CharField(max_length=limits.SLUG_LENGTH, unique=True, db_collation="C")
    description = models.CharField(max_length=limits.DESCRIPTION_LENGTH, blank=True, default="")
    default_language = models.CharField(max_length=limits.LANGUAGE_LENGTH, default="en")
    # The policies, each with the value that a new workspace has.
    links_allowed = models.BooleanField(default=True)
    edit_links_allowed = models.BooleanField(default=True, db_default=True)
    link_lifetime_days = models.PositiveIntegerField(null=True, blank=True)
    trash_days = models.PositiveIntegerField(default=30)
    revision_retention_days = models.PositiveIntegerField(null=True, blank=True)
    reads_audited = models.BooleanField(default=False)
    # The job that rewrites a large part of the tree; while it is set, what adds or moves here is refused.
    busy_job = models.UUIDField(null=True, blank=True, editable=False)
    created_by = person_field()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        permissions = [
            ("read_workspace", "Can read the workspace's documents"),
            ("comment_workspace", "Can comment on the workspace's documents"),
            ("edit_workspace", "Can edit the workspace's documents"),
            ("manage_workspace", "Can manage the workspace"),
            ("own_workspace", "Owns the workspace"),
        ]
        constraints = [
            models.CheckConstraint(condition=~models.Q(name=""), name="documents_workspace_named"),
            models.CheckConstraint(
                condition=models.Q(slug__regex=r"^[a-z0-9]+(-[a-z0-9]+)*$"),
                name="documents_workspace_slug",
            ),
            models.CheckConstraint(
                condition=~models.Q(default_language=""),
                name="documents_workspace_language",
            ),
        ]

    def __str__(self) -> str:
        return self.name
