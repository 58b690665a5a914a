"""What an import brought: by which key of the source a document is found again."""

from __future__ import annotations

from django.db import models


class ImportSource(models.Model):
    """The file that a document came from: its key within the import and the hash of what was read last."""

    id = models.BigAutoField(primary_key=True)
    workspace = models.ForeignKey(
        "documents.Workspace",
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    key = models.CharField(max_length=1024, db_collation="C")
    document = models.OneToOneField(
        "documents.Document", on_delete=models.CASCADE, related_name="import_source"
    )
    sha256 = models.BinaryField(max_length=32)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["workspace", "key"], name="documents_import_source_key"),
        ]

    def __str__(self) -> str:
        return self.key
