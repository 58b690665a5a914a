"""Staff's view of comments: where, when and by whom something was said; never what."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from cloudscribe.lib.admin import StaffAdmin
from documents.authors import author_reference
from documents.models import Comment, Thread

_COLOURS = {"anchored": "success", "changed": "warning", "gone": "danger", "none": "info"}


class ThreadAdmin(StaffAdmin):
    """Threads of documents. What they quote and say is not reachable from here."""

    list_display = (
        "uid",
        "document",
        "workspace",
        "shown_anchor",
        "settled",
        "said",
        "shown_author",
        "updated_at",
    )
    list_filter = ("anchor", ("resolved_at", admin.EmptyFieldListFilter))
    list_select_related = ("document__workspace", "author")
    search_fields = ("=uid", "=document__uid", "document__workspace__name")
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": ("uid", "document", "shown_anchor", "revision", "start", "end")}),
        ("Life", {"fields": ("shown_author", "created_at", "updated_at", "resolved_at", "resolved_by")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """With the number of comments in each."""
        rows: QuerySet[Any] = super().get_queryset(request).annotate(comment_count=Count("comments"))
        return rows

    @display(description="Workspace", ordering="document__workspace__name")
    def workspace(self, thread: Thread) -> str:
        """Where the document stands."""
        return thread.document.workspace.name

    @display(description="Passage", label=_COLOURS, ordering="anchor")
    def shown_anchor(self, thread: Thread) -> str:
        """What became of the passage, as a coloured label."""
        return thread.anchor

    @display(description="Settled", boolean=True)
    def settled(self, thread: Thread) -> bool:
        """Whether somebody resolved it."""
        return thread.resolved_at is not None

    @display(description="Comments", ordering="comment_count")
    def said(self, thread: Any) -> int:
        """How many, with the empty places of deleted ones."""
        return int(thread.comment_count)

    @display(description="Author")
    def shown_author(self, thread: Thread) -> str:
        """Who opened it."""
        return _name(thread)


class CommentAdmin(StaffAdmin):
    """Comments of all threads, by their dates and authors."""

    list_display = ("uid", "document", "shown_author", "link", "created_at", "edited_at", "deleted_at")
    list_filter = (
        ("link", admin.EmptyFieldListFilter),
        ("deleted_at", admin.EmptyFieldListFilter),
    )
    list_select_related = ("thread__document", "author", "link")
    search_fields = ("=uid", "=thread__uid", "=thread__document__uid", "=link__uid")
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": ("uid", "thread", "document", "shown_author", "link")}),
        ("Life", {"fields": ("created_at", "edited_at", "deleted_at", "told_at")}),
    )

    @display(description="Document", ordering="thread__document__title")
    def document(self, comment: Comment) -> str:
        """By its title of today."""
        return str(comment.thread.document)

    @display(description="Author")
    def shown_author(self, comment: Comment) -> str:
        """Who said it; behind a link's the name that a guest gave."""
        return _name(comment)


def _name(row: Thread | Comment) -> str:
    found = author_reference(row.author, row.author_actor)
    return str(found["name"]) if found else ""
