"""What people say about a document: threads on passages of it, comments, reactions, mentions."""

from __future__ import annotations

from typing import Any, ClassVar

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from cloudscribe.lib.fields import UidField
from documents import anchors, limits
from documents.anchors import AnchorState
from documents.models.fields import person_field


class Thread(models.Model):
    """A talk about a document or a passage of it; what it says is in its comments. The first opens it.

    `revision` is the one whose body was quoted. `start` and `end` are where the passage stands in the body of
    now, in code points: the transaction that changes the body moves them. `quote_now` is what stands there
    where that is not the quote any more. A passage that is gone keeps the place where it was.
    """

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    document = models.ForeignKey(
        "documents.Document", on_delete=models.CASCADE, related_name="threads", db_index=False
    )
    anchor = models.CharField(
        max_length=8,
        choices=[(str(state), str(state)) for state in AnchorState],
        default=str(AnchorState.NONE),
    )
    revision = models.PositiveIntegerField(null=True, blank=True)
    quote = models.TextField(blank=True, default="")
    prefix = models.CharField(max_length=anchors.CONTEXT, blank=True, default="")
    suffix = models.CharField(max_length=anchors.CONTEXT, blank=True, default="")
    quote_now = models.TextField(blank=True, default="")
    start = models.PositiveIntegerField(null=True, blank=True)
    end = models.PositiveIntegerField(null=True, blank=True)
    author = person_field()
    author_actor = models.JSONField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = person_field()
    resolved_actor = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    updated_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(anchor="none", revision=None, start=None, end=None, quote="", quote_now="")
                | Q(anchor__in=["anchored", "changed"], revision__isnull=False, start__lt=F("end"))
                | Q(anchor="gone", revision__isnull=False, start=F("end")),
                name="documents_thread_anchor",
            ),
            models.CheckConstraint(
                condition=Q(resolved_at__isnull=False) | Q(resolved_by=None, resolved_actor=None),
                name="documents_thread_resolved",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["document", "created_at", "id"], name="documents_thread_made"),
            models.Index(fields=["document", "updated_at", "id"], name="documents_thread_moved"),
            models.Index(fields=["document"], name="documents_thread_anchored", condition=~Q(anchor="none")),
        ]

    def __str__(self) -> str:
        return f"thread {self.uid}"


class Comment(models.Model):
    """What one person, or whoever holds a share link, says in a thread. The first one opens the thread.

    A deleted one that others follow stays as an empty place. `told_at` is when those whom it concerns were
    told. `link` is the share link that it was written by.
    """

    id = models.BigAutoField(primary_key=True)
    uid = UidField()
    thread = models.ForeignKey(Thread, on_delete=models.CASCADE, related_name="comments", db_index=False)
    author = person_field()
    author_actor = models.JSONField(null=True, blank=True)
    link = models.ForeignKey(
        "documents.ShareLink",
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        db_index=False,
    )
    body = models.TextField(blank=True, default="")
    edited_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(deleted_at=None) & ~Q(body="") | Q(deleted_at__isnull=False, body=""),
                name="documents_comment_said",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["thread", "id"], name="documents_comment_thread"),
            models.Index(fields=["author", "id"], name="documents_comment_author"),
            models.Index(
                fields=["link", "created_at"],
                name="documents_comment_link",
                condition=Q(link__isnull=False),
            ),
        ]

    def __str__(self) -> str:
        return f"comment {self.uid}"

    @property
    def updated_at(self) -> Any:
        """When something last happened to it."""
        return self.deleted_at or self.edited_at or self.created_at


class Mention(models.Model):
    """That a comment names a person who could see the document when it was written; `told_at` as above."""

    id = models.BigAutoField(primary_key=True)
    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="mentions", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    told_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["comment", "user"], name="documents_mention_once")
        ]

    def __str__(self) -> str:
        return f"user {self.user_id} named in comment {self.comment_id}"


class Reaction(models.Model):
    """One person's sign at a comment; each sign once."""

    id = models.BigAutoField(primary_key=True)
    comment = models.ForeignKey(Comment, on_delete=models.CASCADE, related_name="reactions", db_index=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    emoji = models.CharField(max_length=limits.EMOJI_LENGTH)
    created_at = models.DateTimeField(db_default=Now(), editable=False)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["comment", "user", "emoji"], name="documents_reaction_once")
        ]

    def __str__(self) -> str:
        return f"{self.emoji} of user {self.user_id} at comment {self.comment_id}"
