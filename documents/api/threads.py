"""Threads: `documents/{id}/threads/`, `threads/{id}/[resolve/, reopen/]`."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from django.db.models import QuerySet
from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from cloudscribe.lib.conditional import make_etag
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import (
    ActorReferenceSerializer,
    QuerySerializer,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)
from cloudscribe.lib.viewsets import ServiceViewSet
from documents import anchors, limits
from documents.anchors import AnchorState, Passage
from documents.api.comments import READ, WRITE, CommentAnswer, SaidField
from documents.api.reaching import DocumentReached
from documents.models import Thread
from documents.selectors.comments import thread_find, thread_shown, threads_of, threads_shown
from documents.services.anchoring import Quoted
from documents.services.commenting import (
    Opened,
    thread_anchor,
    thread_create,
    thread_delete,
    thread_resolve,
)

STATES = [str(state) for state in AnchorState if state is not AnchorState.NONE]


class AroundField(StrictCharField):
    """Up to 64 characters of what stands beside a passage, as they are."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_length=anchors.CONTEXT, allow_blank=True, trim_whitespace=False, required=False, **options
        )


def quote_check(attrs: dict[str, Any]) -> dict[str, Any]:
    """The input, if its quote is more than spaces, and there for what else tells of it; else InvalidInput."""
    quote = attrs.get("quote")
    if quote is not None and not quote.strip():
        raise serializers.ValidationError({"quote": ["This field may not be blank."]}, code="blank")
    for name in ("prefix", "suffix", "revision"):
        if name in attrs and quote is None:
            raise serializers.ValidationError({name: ["Say what is quoted."]}, code="contradiction")
    return attrs


class _QuoteInput(StrictSerializer):
    """A passage of the body's Markdown, letter by letter."""

    quote = StrictCharField(
        max_length=limits.QUOTE_LENGTH,
        trim_whitespace=False,
        required=False,
        allow_null=True,
        help_text="A passage of the body's Markdown, letter by letter.",
    )
    prefix = AroundField(help_text="What stands before it, where there are equal ones.")
    suffix = AroundField(help_text="What stands behind it, likewise.")
    revision = StrictIntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        help_text="Whose body is quoted; the newest by default.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What tells of a quote goes with one."""
        return quote_check(attrs)


class ThreadInput(_QuoteInput):
    """The first comment, and the passage that it is about."""

    body = SaidField()


class ThreadChangeInput(_QuoteInput):
    """Another passage; null takes the thread off the one that it hangs on."""

    quote = StrictCharField(max_length=limits.QUOTE_LENGTH, trim_whitespace=False, allow_null=True)


class AnchorAnswer(serializers.Serializer[Any]):
    """The passage that a thread hangs on, and where it stands in the body of now.

    `anchored`: as it was quoted; `changed`: it reads otherwise now; `gone`: it stands there no more.
    """

    state = serializers.ChoiceField(choices=STATES)
    revision = serializers.IntegerField(help_text="Whose body was quoted.")
    quote = serializers.CharField(help_text="As it was quoted.")
    prefix = serializers.CharField(allow_blank=True, help_text="Up to 64 characters before it, as of then.")
    suffix = serializers.CharField(allow_blank=True, help_text="Up to 64 characters behind it, as of then.")
    quote_now = serializers.CharField(allow_null=True, help_text="How it reads now; null where it is gone.")
    start = serializers.IntegerField(allow_null=True, help_text="In code points of the body of now.")
    end = serializers.IntegerField(allow_null=True)
    occurrences = serializers.IntegerField(
        required=False,
        help_text="In the answer to a quote: how often it stands in the revision that was quoted.",
    )


class ThreadAnswer(serializers.Serializer[Any]):
    """A thread with its first comments; `body` and `author` are those of the very first, which opened it."""

    id = serializers.UUIDField()
    document = serializers.UUIDField()
    body = serializers.CharField(allow_blank=True)
    author = ActorReferenceSerializer(allow_null=True)
    anchor = AnchorAnswer(allow_null=True)
    resolved = serializers.BooleanField()
    resolved_at = serializers.DateTimeField(allow_null=True)
    resolved_by = ActorReferenceSerializer(allow_null=True)
    comments = CommentAnswer(many=True)
    more_comments = serializers.BooleanField(help_text="Whether `threads/{id}/comments/` holds more of them.")
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField(help_text="When something was last said or done in it.")


class ThreadQuery(QuerySerializer):
    """Which threads."""

    resolved = serializers.BooleanField(required=False)
    anchored = serializers.BooleanField(
        required=False, help_text="Those whose passage stands in the body of now, or the others."
    )
    author = serializers.UUIDField(required=False, help_text="Who opened it.")


class DocumentThreadViewSet(DocumentReached, ServiceViewSet):
    """The threads of a document."""

    permission_classes = [Authenticated]
    document_kwarg = "document"
    serializers: ClassVar = {"list": ThreadAnswer, "create": ThreadInput}
    answers: ClassVar = {"create": ThreadAnswer}
    queries: ClassVar = {"list": ThreadQuery}
    scope_map: ClassVar = {"list": READ, "create": WRITE}
    problems: ClassVar = {"list": (410,), "create": (409, 410)}
    ordering_choices: ClassVar = ("created_at", "updated_at")
    default_ordering = "created_at"
    tag = "comments"

    def list(self, request: Request, document: str) -> HttpResponseBase:
        """List the threads of a document, the first one's first; of each its first comments."""
        here = self.document_here()
        rows = self.paginate_queryset(_narrowed(threads_of(here), self.query())) or []
        return self.get_paginated_response(threads_shown(self.actor, here, rows))

    def create(self, request: Request, document: str) -> HttpResponseBase:
        """Open a thread about a document, or about a passage of it.

        The passage is quoted from the body of a revision and keeps its place when the text changes. Of equal
        ones that is meant which fits `prefix` and `suffix` best, else the first.
        """
        given = self.input()
        opened = thread_create(
            actor=self.actor, document=self.document_here(), body=given["body"], quoted=_quoted(given)
        )
        data = _shown(self.actor, opened)
        return self.respond(data, location=f"/api/v1/threads/{opened.thread.uid}/")


class ThreadViewSet(ServiceViewSet):
    """One thread."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"retrieve": ThreadAnswer, "partial_update": ThreadChangeInput}
    answers: ClassVar = dict.fromkeys(("partial_update", "resolve", "reopen"), ThreadAnswer)
    scope_map: ClassVar = {
        "retrieve": READ,
        **dict.fromkeys(("partial_update", "destroy", "resolve", "reopen"), WRITE),
    }
    problems: ClassVar = {
        "retrieve": (410,),
        "destroy": (409, 410, 423),
        **dict.fromkeys(("partial_update", "resolve", "reopen"), (404, 409, 410)),
    }
    tag = "comments"

    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """A thread with its first hundred comments."""
        data = thread_shown(self.actor, self._here())
        return self.respond(data, etag=make_etag(data))

    def partial_update(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Hang a thread on another passage, or on none: who opened it may, and editors."""
        given = self.input()
        opened = thread_anchor(actor=self.actor, thread=self._here(), quoted=_quoted(given))
        return self.respond(_shown(self.actor, opened))

    def destroy(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Remove a thread with all comments: managers may, and who opened it until others answer."""
        thread_delete(actor=self.actor, thread=self._here())
        return self.respond()

    def resolve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Note that it is settled: who opened it may, and editors."""
        return self._settle(resolved=True)

    def reopen(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Note that it is not settled: who opened it may, and editors."""
        return self._settle(resolved=False)

    def _here(self) -> Thread:
        return thread_find(self.actor, uuid.UUID(str(self.kwargs["id"])))

    def _settle(self, *, resolved: bool) -> HttpResponseBase:
        thread = thread_resolve(actor=self.actor, thread=self._here(), resolved=resolved)
        return self.respond(_shown(self.actor, Opened(thread)))


def _quoted(given: Mapping[str, Any]) -> Quoted | None:
    if given.get("quote") is None:
        return None
    passage = Passage(given["quote"], given.get("prefix", ""), given.get("suffix", ""))
    return Quoted(passage, given.get("revision"))


def _narrowed(rows: QuerySet[Thread], wanted: Mapping[str, Any]) -> QuerySet[Thread]:
    if "resolved" in wanted:
        rows = rows.filter(resolved_at__isnull=not wanted["resolved"])
    if "anchored" in wanted:
        stands = (AnchorState.ANCHORED, AnchorState.CHANGED)
        rows = rows.filter(anchor__in=stands) if wanted["anchored"] else rows.exclude(anchor__in=stands)
    if "author" in wanted:
        rows = rows.filter(author__uid=wanted["author"])
    return rows


def _shown(actor: Any, opened: Opened) -> dict[str, Any]:
    """The thread after a write, as it is read."""
    data = thread_shown(actor, thread_find(actor, opened.thread.uid))
    if opened.occurrences and data["anchor"]:
        data["anchor"]["occurrences"] = opened.occurrences
    return data
