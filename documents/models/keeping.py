"""What keeps documents from being lost: legal holds and named moments."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from cloudscribe.lib.fields import UidField
from documents import limits
from documents.models.fields import person_field


class Hold(models.Model):
    """A legal hold on a workspace or on a document with all below it; it stands until it is released.

    What it stands on can't be deleted: its keys refuse that at the end of the transaction, whoever deletes.
    A trigger takes released ones along with what they were on; the trail keeps what they were.
    """

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    workspace = models.ForeignKey(
        "documents.Workspace", on_delete=models.DO_NOTHING, null=True, blank=True, related_name="holds"
    )
    document = models.ForeignKey(
        "documents.Document", on_delete=models.DO_NOTHING, null=True, blank=True, related_name="holds"
    )
    reason = models.CharField(max_length=limits.REASON_LENGTH)
    placed_by = person_field()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    released_by = person_field()
    released_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        permissions: ClassVar = [("place_hold", "Can place, see and release legal holds")]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(workspace__isnull=True, document__isnull=False)
                | Q(workspace__isnull=False, document__isnull=True),
                name="documents_hold_on_one",
            ),
        ]

    def __str__(self) -> str:
        return f"hold {self.uid}"


class Snapshot(models.Model):
    """A name for a moment of a workspace or of a subtree; what it holds is read from the history.

    `documents` is how many it held when it was made: so many of them as the history has no more were purged.
    """

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    workspace = models.ForeignKey("documents.Workspace", on_delete=models.CASCADE, related_name="snapshots")
    root = models.ForeignKey(
        "documents.Document", on_delete=models.CASCADE, null=True, blank=True, related_name="+"
    )
    name = models.CharField(max_length=limits.NAME_LENGTH)
    at = models.DateTimeField(db_default=Now())
    documents = models.PositiveIntegerField(default=0)
    created_by = person_field()
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=~Q(name=""), name="documents_snapshot_named")
        ]

    def __str__(self) -> str:
        return self.name
