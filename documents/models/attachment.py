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
    """Content in the storage, once for as many attachments as like, of any workspace.

    The row is there before the file, so that whatever a crash leaves behind is found. `unused_since` is set
    while no attachment shares it (the database's triggers see to that): some time later the sweeper takes it.
    What it has begun to take is `removing` and comes back for nobody: the same content gets a new row and,
    since the name in the storage holds the key, a new file.
    """

    id = models.BigAutoField(primary_key=True)
    sha256 = models.BinaryField(max_length=32)
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
    removing = models.BooleanField(default=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["sha256"], condition=models.Q(removing=False), name="documents_blob_once"
            ),
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
            models.Index(
                fields=["id"], name="documents_blob_scanning", condition=models.Q(state=BlobState.SCANNING)
            ),
        ]

    def __str__(self) -> str:
        return f"blob {self.pk}"

    @property
    def digest(self) -> str:
        """The SHA-256 in hexadecimal."""
        return bytes(self.sha256).hex()

    @property
    def path(self) -> str:
        """Where the content lies in the storage."""
        return f"blobs/{self.digest[:2]}/{self.digest}.{self.pk}"

    def thumbnail_path(self, side: int) -> str:
        """Where its picture of at most `side` pixels a side lies."""
        return f"thumbnails/{self.digest[:2]}/{self.digest}.{self.pk}.{side}"


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


class AttachmentUsage(models.Model):
    """How many files a workspace holds and their bytes, those of the trash included.

    Kept by the database's triggers: with each attachment, and with each document that changes its workspace.
    """

    workspace = models.OneToOneField(
        "documents.Workspace", on_delete=models.CASCADE, primary_key=True, related_name="attachment_usage"
    )
    files = models.BigIntegerField(default=0)
    size = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.files} files, {self.size} bytes"
