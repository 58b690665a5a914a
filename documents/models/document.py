"""A document: one narrow row that stands in the tree, and beside it the body that moves never touch."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from cloudscribe.lib.fields import UidField
from documents import limits
from documents.models.fields import person_field


class State(models.TextChoices):
    """Where a document is in its life. A draft cuts inheritance: the visibility rule needs no branch."""

    ARCHIVED = "archived"
    DRAFT = "draft"
    PUBLISHED = "published"


_LISTED = Q(trashed_at__isnull=True)


class Document(models.Model):
    """One node of a workspace's tree.

    `path` (labels of 10 hex digits made of ids, own one last), `depth`, `reach` (the ids whose grants reach
    this node: itself, its ancestors up to the nearest cut, and the negated workspace id if no cut was met)
    and `scope_id` (the nearest cut or the negated workspace id) are made by a BEFORE INSERT trigger from the
    parent's row and rewritten by the services that move or cut; that they have defaults of the database makes
    the ORM read them back with the key. `owner` is responsibility, never a right. `created_actor` and
    `updated_actor` stay null for people, whose name is read from their row of today; they hold `{kind, id,
    name}` for whoever is no person: a link, a command, a job.
    """

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    workspace = models.ForeignKey("documents.Workspace", on_delete=models.RESTRICT, db_index=False)
    # The composite key (parent, workspace) made in the migration holds the reference and that both rooms are
    # one.
    parent = models.ForeignKey(
        "self",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="children",
        db_index=False,
        db_constraint=False,
    )
    path = models.CharField(max_length=10 * limits.DEPTH, db_collation="C", editable=False, db_default="")
    depth = models.PositiveSmallIntegerField(editable=False, db_default=0)
    position = models.CharField(max_length=limits.POSITION_LENGTH, db_collation="C")
    inherits_access = models.BooleanField(default=True)
    scope_id = models.BigIntegerField(editable=False, db_default=0)
    reach = ArrayField(models.BigIntegerField(), editable=False, db_default=[])
    state = models.CharField(max_length=10, choices=State, default=State.PUBLISHED)
    template = models.BooleanField(default=False)
    title = models.CharField(max_length=limits.TITLE_LENGTH)
    language = models.CharField(max_length=limits.LANGUAGE_LENGTH)
    icon = models.CharField(max_length=limits.ICON_LENGTH, blank=True, default="")
    tags = ArrayField(models.CharField(max_length=limits.TAG_LENGTH), blank=True, default=list)
    revision = models.PositiveIntegerField(default=1)
    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.PROTECT,
        related_name="+",
        db_index=False,
    )
    created_by = person_field()
    created_actor = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_by = person_field()
    updated_actor = models.JSONField(null=True, blank=True)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)
    trashed_at = models.DateTimeField(null=True, blank=True)
    trashed_by = person_field()
    # Which trashing took it: restoring a node brings back what went with it and leaves alone what went
    # before.
    trash_root = models.ForeignKey(
        "self",
        on_delete=models.RESTRICT,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    locked_by = person_field()
    lock_expires_at = models.DateTimeField(null=True, blank=True)
    lock_reason = models.CharField(max_length=limits.REASON_LENGTH, blank=True, default="")

    class Meta:
        permissions = [
            ("read_document", "Can read the document"),
            ("comment_document", "Can comment on the document"),
            ("edit_document", "Can edit the document"),
            ("manage_document", "Can manage the document"),
            ("break_glass", "Can open any document for an hour, on the record"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["id", "workspace"], name="documents_document_in_workspace"),
            models.UniqueConstraint(fields=["path"], name="documents_document_path"),
            models.CheckConstraint(
                condition=Q(depth__gte=1, depth__lte=limits.DEPTH),
                name="documents_document_depth",
            ),
            models.CheckConstraint(condition=~Q(position=""), name="documents_document_positioned"),
            models.CheckConstraint(condition=~Q(parent=F("id")), name="documents_document_not_in_itself"),
            models.CheckConstraint(condition=~Q(title=""), name="documents_document_titled"),
            models.CheckConstraint(condition=~Q(language=""), name="documents_document_language"),
            models.CheckConstraint(condition=Q(state__in=State.values), name="documents_document_state"),
            models.CheckConstraint(condition=Q(tags__len__lte=limits.TAGS), name="documents_document_tags"),
            models.CheckConstraint(condition=Q(revision__gte=1), name="documents_document_revised"),
            models.CheckConstraint(
                condition=Q(trashed_at__isnull=True, trash_root__isnull=True)
                | Q(trashed_at__isnull=False, trash_root__isnull=False),
                name="documents_document_trash",
            ),
            # What the trigger and the services write must say the same as the two columns it is made of.
            models.CheckConstraint(
                condition=(Q(scope_id=F("id")) & (Q(inherits_access=False) | Q(state=State.DRAFT)))
                | (~Q(scope_id=F("id")) & Q(inherits_access=True) & ~Q(state=State.DRAFT)),
                name="documents_document_cut",
            ),
            models.CheckConstraint(condition=Q(reach__0=F("id")), name="documents_document_reach"),
        ]
        indexes = [
            models.Index(fields=["updated_at", "id"], name="documents_recent", condition=_LISTED),
            models.Index(
                fields=["scope_id", "updated_at", "id"],
                name="documents_scope",
                condition=_LISTED,
            ),
            models.Index(
                fields=["workspace", "updated_at", "id"],
                name="documents_workspace_recent",
                condition=_LISTED,
            ),
            models.Index(
                fields=["owner", "updated_at", "id"],
                name="documents_owner_recent",
                condition=_LISTED,
            ),
            models.Index(fields=["parent", "position"], name="documents_children"),
            models.Index(
                fields=["workspace", "position"],
                name="documents_roots",
                condition=Q(parent__isnull=True),
            ),
            models.Index(
                fields=["trash_root"],
                name="documents_trash_root",
                condition=Q(trash_root__isnull=False),
            ),
            models.Index(
                fields=["workspace", "trashed_at"],
                name="documents_trash",
                condition=~_LISTED,
            ),
            GinIndex(fields=["reach"], name="documents_reach", gin_pending_list_limit=64),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def line(self) -> list[int]:
        """The keys on its path: what stands above it from the top down, its own last."""
        return [int(self.path[start : start + 10], 16) for start in range(0, len(self.path), 10)]

    @property
    def is_cut(self) -> bool:
        """Whether inheritance of access ends here."""
        return not self.inherits_access or self.is_draft

    @property
    def is_draft(self) -> bool:
        """Whether it is a draft, which is a cut, too."""
        return self.state == State.DRAFT

    @property
    def is_trashed(self) -> bool:
        """Whether it lies in the trash."""
        return self.trashed_at is not None

    def fields_of_revision(self) -> dict[str, Any]:
        """The fields that a revision keeps beside the body."""
        return {
            "title": self.title,
            "language": self.language,
            "tags": list(self.tags),
            "icon": self.icon,
            "template": self.template,
        }


class DocumentBody(models.Model):
    """The current body. Apart from the document's row, since a move would else rewrite the bodies as well.

    `search_vector` null means that the index job has yet to make it, `search_config` is the text search
    configuration that it was made with, `search_length` its number of words, which the ranking needs. `size`
    is in bytes of UTF-8. `anchored` says that threads may hang on passages of it, which move with it.
    """

    document = models.OneToOneField(Document, on_delete=models.CASCADE, primary_key=True, related_name="body")
    content = models.TextField(blank=True, default="")
    sha256 = models.BinaryField(max_length=32)
    size = models.PositiveIntegerField(default=0)
    search_vector = SearchVectorField(null=True, blank=True, editable=False)
    search_config = models.CharField(max_length=32, default="cs_simple", editable=False)
    search_length = models.IntegerField(default=0, editable=False)
    anchored = models.BooleanField(default=False, db_default=False, editable=False)

    class Meta:
        verbose_name_plural = "document bodies"
        constraints = [
            models.CheckConstraint(condition=Q(size__lte=limits.BODY_BYTES), name="documents_body_size"),
        ]
        indexes = [
            GinIndex(fields=["search_vector"], name="documents_body_search", gin_pending_list_limit=64),
            models.Index(
                fields=["document"],
                name="documents_body_unindexed",
                condition=Q(search_vector__isnull=True),
            ),
            models.Index(fields=["search_config"], name="documents_body_config"),
        ]

    def __str__(self) -> str:
        return f"body of document {self.document_id}"


class ScopeCount(models.Model):
    """How many listed documents a scope holds, refreshed by a job. It only chooses between two plans."""

    scope_id = models.BigIntegerField(primary_key=True)
    n = models.BigIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.n} in {self.scope_id}"
