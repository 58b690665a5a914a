"""Files of documents: content once by its hash, and the names that it has."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from cloudscribe.lib.fields import UidField
from documents.models.fields import person_field


class BlobState(models.TextChoices):
    """Whether content may be served: not while it is looked at, never if it was found infected."""

    INFECTED = "infected"
    READY = "ready"
    SCANNING = "scanning"


class Blob(models.Model):
    """Content in the storage, under a name made from its SHA-256; as many attachments as like share it.

    `unused_since` is set while no attachment does: the sweeper removes it some time later, so that an upload
    under way finds it or makes it anew, and never half of it.
    """

    id = models.BigAutoField(primary_key=True)
    sha256 = models.BinaryField(max_length=32, unique=True)
    size = models.BigIntegerField()
    content_type = models.CharField(max_length=100)
    inline = models.BooleanField(default=False)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    state = models.CharField(max_length=8, choices=BlobState, default=BlobState.READY)
    finding = models.CharField(max_length=200, blank=True, default="")
    has_thumbnail = models.BooleanField(default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    unused_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(size__gte=0), name="documents_blob_size"),
            models.CheckConstraint(
                condition=models.Q(state__in=BlobState.values), name="documents_blob_state"
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["unused_since"],
                name="documents_blob_unused",
                condition=models.Q(unused_since__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"blob {self.pk}"


class Attachment(models.Model):
    """A file of a document, under the name that it was given."""

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    document = models.ForeignKey(
        "documents.Document", on_delete=models.CASCADE, related_name="attachments", db_index=False
    )
    blob = models.ForeignKey(Blob, on_delete=models.RESTRICT, related_name="attachments")
    name = models.CharField(max_length=255)
    created_by = person_field()
    created_actor = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["document", "id"], name="documents_attachment_of")]

    def __str__(self) -> str:
        return self.name
