"""The history of what a document said: one immutable row per change, and the old bodies beside it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from documents import limits
from documents.models.fields import person_field


class Revision(models.Model):
    """One change of title, body, language, tags, icon or template flag. Never updated: a trigger refuses it.

    `parent` is the number that it was applied on, `base` the one that the client edited from; where they
    differ the server merged. `meta` holds the named fields as of this revision. `author_actor` is null for
    people and `{kind, id, name}` for whoever is no person.
    """

    id = models.BigAutoField(primary_key=True)
    document = models.ForeignKey(
        "documents.Document",
        on_delete=models.CASCADE,
        related_name="revisions",
        db_index=False,
    )
    number = models.PositiveIntegerField()
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    author_actor = models.JSONField(null=True, blank=True)
    note = models.CharField(max_length=limits.NOTE_LENGTH, blank=True, default="")
    parent = models.PositiveIntegerField(null=True, blank=True)
    base = models.PositiveIntegerField(null=True, blank=True)
    meta = models.JSONField(default=dict)
    sha256 = models.BinaryField(max_length=32)
    size = models.PositiveIntegerField()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["document", "number"],
                include=["author", "created_at", "size"],
                name="documents_revision_number",
            ),
            models.CheckConstraint(condition=Q(number__gte=1), name="documents_revision_counted"),
            models.CheckConstraint(
                condition=Q(number=1, parent__isnull=True, base__isnull=True)
                | Q(
                    number__gt=1,
                    parent=models.F("number") - 1,
                    base__isnull=False,
                    base__lte=models.F("number") - 1,
                ),
                name="documents_revision_gapless",
            ),
            models.CheckConstraint(condition=Q(size__lte=limits.BODY_BYTES), name="documents_revision_size"),
        ]

    def __str__(self) -> str:
        return f"revision {self.number} of document {self.document_id}"


class RevisionPayload(models.Model):
    """The body of a superseded revision, written once: zlib with the successor's body as dictionary.

    `base_number` is the successor's number, null for a keyframe that stands alone. The head's body is no
    payload: it is the document's body.
    """

    revision = models.OneToOneField(
        Revision, on_delete=models.CASCADE, primary_key=True, related_name="payload"
    )
    base_number = models.PositiveIntegerField(null=True, blank=True)
    payload = models.BinaryField()

    def __str__(self) -> str:
        return f"payload of revision {self.revision_id}"


class RevisionName(models.Model):
    """What people call a revision; retention keeps the body of one that has a name."""

    revision = models.OneToOneField(
        Revision, on_delete=models.CASCADE, primary_key=True, related_name="naming"
    )
    document = models.ForeignKey("documents.Document", on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=limits.NAME_LENGTH)
    named_by = person_field()
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="documents_revisionname_named"),
        ]

    def __str__(self) -> str:
        return self.name
