"""The history of where a document stood."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q

from documents import limits
from documents.models.document import State


class Placement(models.Model):
    """Where and how a document stood from `valid_from` up to, not including, `valid_to` (null: still)."""

    id = models.BigAutoField(primary_key=True)
    document = models.ForeignKey(
        "documents.Document",
        on_delete=models.CASCADE,
        related_name="placements",
        db_index=False,
    )
    # No reference to hold: a parent of then may be purged by now.
    workspace = models.ForeignKey(
        "documents.Workspace",
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    parent = models.ForeignKey(
        "documents.Document",
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="+",
        db_index=False,
    )
    position = models.CharField(max_length=limits.POSITION_LENGTH, db_collation="C")
    state = models.CharField(max_length=10, choices=State)
    trashed = models.BooleanField(default=False)
    valid_from = models.DateTimeField()
    valid_to = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["document"],
                condition=Q(valid_to__isnull=True),
                name="documents_placement_current",
            ),
            models.CheckConstraint(
                condition=Q(valid_to__isnull=True) | Q(valid_to__gte=F("valid_from")),
                name="documents_placement_order",
            ),
        ]
        indexes = [
            models.Index(fields=["document", "valid_from"], name="documents_placement_history"),
            models.Index(
                fields=["workspace", "parent", "valid_from"],
                name="documents_placement_tree",
            ),
        ]

    def __str__(self) -> str:
        return f"place of document {self.document_id} from {self.valid_from}"
