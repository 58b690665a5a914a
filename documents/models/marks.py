"""What people keep for themselves about documents, and what documents say of each other."""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from cloudscribe.lib.fields import UidField


class Mark(models.Model):
    """What the tables of one person's documents share."""

    id = models.BigAutoField(primary_key=True)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+", db_index=False
    )

    class Meta:
        abstract = True


class Favorite(Mark):
    """A document that somebody wants at hand."""

    document = models.ForeignKey("documents.Document", on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "document"], name="documents_favorite_once")
        ]

    def __str__(self) -> str:
        return f"favorite {self.document_id} of user {self.user_id}"


class RecentView(Mark):
    """When somebody last opened a document."""

    document = models.ForeignKey("documents.Document", on_delete=models.CASCADE, related_name="+")
    seen_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["user", "document"], name="documents_recent_once")
        ]
        indexes: ClassVar = [models.Index(fields=["user", "seen_at"], name="documents_recent_views")]

    def __str__(self) -> str:
        return f"document {self.document_id} seen by user {self.user_id}"


class Watch(Mark):
    """Somebody wants to hear of changes: of a document, of all below it too, or of a workspace."""

    uid = UidField()
    workspace = models.ForeignKey(
        "documents.Workspace", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    document = models.ForeignKey(
        "documents.Document", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    subtree = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        verbose_name_plural = "watches"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["user", "document"],
                name="documents_watch_document",
                condition=Q(document__isnull=False),
            ),
            models.UniqueConstraint(
                fields=["user", "workspace"],
                name="documents_watch_workspace",
                condition=Q(workspace__isnull=False),
            ),
            models.CheckConstraint(
                condition=Q(workspace__isnull=True, document__isnull=False)
                | Q(workspace__isnull=False, document__isnull=True, subtree=False),
                name="documents_watch_of_one",
            ),
        ]

    def __str__(self) -> str:
        return f"watch {self.uid}"


class WatchProgress(models.Model):
    """One row: up to which event, in the order of the trail, watchers have been told."""

    id = models.SmallIntegerField(primary_key=True, default=1)
    epoch = models.IntegerField(default=0)
    xid = models.BigIntegerField(default=0)
    sequence = models.BigIntegerField(default=0)

    class Meta:
        verbose_name_plural = "watch progress"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="documents_watch_progress_single")
        ]

    def __str__(self) -> str:
        return f"watchers told up to event {self.sequence}"


class Reference(models.Model):
    """That the body of one document links to another: read from the body whenever that is written.

    The target goes by its id and is held by no key: a link may be written before what it leads to (an import
    does so) and stays when that is gone.
    """

    id = models.BigAutoField(primary_key=True)
    source = models.ForeignKey(
        "documents.Document", on_delete=models.CASCADE, related_name="references", db_index=False
    )
    target_uid = models.UUIDField(db_index=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["source", "target_uid"], name="documents_reference_once")
        ]

    def __str__(self) -> str:
        return f"{self.source_id} refers to {self.target_uid}"
