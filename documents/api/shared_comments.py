"""`shared/{secret}/threads/`: what is said about a shared document, and saying something by a link."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from cloudscribe.lib.serializers import StrictCharField, StrictSerializer
from cloudscribe.lib.texts import printable
from documents import limits
from documents.anchors import Passage
from documents.api.comments import SaidField
from documents.api.shared import PASSWORD, VISIT, SharedViewSet
from documents.api.threads import STATES, AroundField, quote_check
from documents.emoji import EMOJI
from documents.models import Thread
from documents.selectors.links import HeldLink
from documents.selectors.shared_comments import (
    shared_comment_shown,
    shared_comments_shown,
    shared_thread,
    shared_thread_shown,
    shared_threads_shown,
)
from documents.services.link_visits import Visitor, visit_pass
from documents.services.shared_comments import shared_comment_create, shared_thread_create


class NameField(StrictCharField):
    """Under which name a guest writes: on one line, of letters that can be seen."""

    default_error_messages = {"unprintable": "A name stands on one line and has no control characters."}

    def __init__(self, **options: Any) -> None:
        super().__init__(max_length=limits.GUEST_NAME_LENGTH, **options)

    def to_internal_value(self, data: Any) -> str:
        """The name."""
        name = super().to_internal_value(data)
        if printable(name) != name:
            self.fail("unprintable")
        return name


class SharedCommentInput(StrictSerializer):
    """What is said, and who says so."""

    body = SaidField()
    name = NameField()


class SharedThreadInput(SharedCommentInput):
    """The first comment, and the passage of the body, with the link's keys in it, that it is about."""

    quote = StrictCharField(max_length=limits.QUOTE_LENGTH, trim_whitespace=False, required=False)
    prefix = AroundField()
    suffix = AroundField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """What tells of a quote goes with one."""
        return quote_check(attrs)


class GuestReference(serializers.Serializer[Any]):
    """Who said something. Behind the kind `link` is the name that a guest gave themselves."""

    kind = serializers.CharField()
    name = serializers.CharField()


class SharedSign(serializers.Serializer[Any]):
    """How many people reacted with a sign."""

    emoji = serializers.ChoiceField(choices=EMOJI)
    count = serializers.IntegerField()


class SharedCommentAnswer(serializers.Serializer[Any]):
    """A comment; `key` is this link's alone."""

    key = serializers.CharField()
    body = serializers.CharField(allow_blank=True)
    author = GuestReference(allow_null=True)
    deleted = serializers.BooleanField()
    reactions = SharedSign(many=True)
    edited_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()


class SharedAnchorAnswer(serializers.Serializer[Any]):
    """The passage that a thread hangs on, as it was quoted and as it reads now."""

    state = serializers.ChoiceField(choices=STATES)
    quote = serializers.CharField(allow_blank=True)
    quote_now = serializers.CharField(allow_null=True)


class SharedThreadAnswer(serializers.Serializer[Any]):
    """A thread; `key` is for `shared/{secret}/threads/{key}/comments/`, and this link's alone."""

    key = serializers.CharField()
    body = serializers.CharField(allow_blank=True)
    author = GuestReference(allow_null=True)
    anchor = SharedAnchorAnswer(allow_null=True)
    resolved = serializers.BooleanField()
    comments = SharedCommentAnswer(many=True)
    more_comments = serializers.BooleanField()
    created_at = serializers.DateTimeField()


class SharedThreads(serializers.Serializer[Any]):
    """The newest 500 threads, in the order in which they were opened."""

    results = SharedThreadAnswer(many=True)


class SharedComments(serializers.Serializer[Any]):
    """All comments of a thread, in the order in which they were said."""

    results = SharedCommentAnswer(many=True)


class SharedThreadViewSet(SharedViewSet):
    """Threads by a link for commenting or editing."""

    serializers: ClassVar = {
        "threads": SharedThreads,
        "thread_create": SharedThreadInput,
        "comments": SharedComments,
        "comment_create": SharedCommentInput,
    }
    queries: ClassVar = {}
    answers: ClassVar = {"thread_create": SharedThreadAnswer, "comment_create": SharedCommentAnswer}
    statuses: ClassVar = {"thread_create": 201, "comment_create": 201}
    if_match: ClassVar = {}
    problems: ClassVar = {
        **dict.fromkeys(("threads", "comments"), (401, 403, 404, 429)),
        **dict.fromkeys(("thread_create", "comment_create"), (401, 403, 404, 409, 429)),
    }

    @property
    def rate_scope(self) -> str | None:  # type: ignore[override]
        """What strangers write is told to people, by mail if they chose so."""
        return "mail" if self.action in {"thread_create", "comment_create"} else None

    @extend_schema(parameters=[PASSWORD, VISIT])
    def threads(self, request: Request, secret: str, key: str | None = None) -> HttpResponseBase:
        """The threads of the shared document, or of one below it; not by links for reading."""
        held, document = self._shown(secret, key)
        shown = shared_threads_shown(held, document)
        self._count(held)
        return self.respond({"results": shown})

    @extend_schema(parameters=[PASSWORD, VISIT])
    def thread_create(self, request: Request, secret: str, key: str | None = None) -> HttpResponseBase:
        """Open a thread about the shared document, one below it, or a passage of it, under a given name."""
        held, document = self._shown(secret, key)
        given = self.input()
        passage = None
        if "quote" in given:
            passage = Passage(given["quote"], given.get("prefix", ""), given.get("suffix", ""))
        thread = shared_thread_create(
            held=held,
            document=document,
            body=given["body"],
            name=given["name"],
            passage=passage,
            visitor=self._visitor_counted(),
        )
        self.visit = self.visit or visit_pass(held)
        return self.respond(shared_thread_shown(held, thread), location=_location(held, secret, thread))

    @extend_schema(parameters=[PASSWORD, VISIT])
    def comments(self, request: Request, secret: str, key: str) -> HttpResponseBase:
        """What was said in a thread."""
        held, thread = self._thread(secret, key)
        shown = shared_comments_shown(held, thread)
        self._count(held)
        return self.respond({"results": shown})

    @extend_schema(parameters=[PASSWORD, VISIT])
    def comment_create(self, request: Request, secret: str, key: str) -> HttpResponseBase:
        """Answer in a thread under a given name."""
        held, thread = self._thread(secret, key)
        given = self.input()
        visitor = self._visitor_counted()
        comment = shared_comment_create(
            held=held, thread=thread, body=given["body"], name=given["name"], visitor=visitor
        )
        self.visit = self.visit or visit_pass(held)
        shown = shared_comment_shown(held, comment, thread.uid)
        return self.respond(shown, location=_location(held, secret, thread))

    def _thread(self, secret: str, key: str) -> tuple[HeldLink, Thread]:
        held = self._opened(secret)
        return held, shared_thread(held, key)

    def _visitor_counted(self) -> Visitor | None:
        """The visitor, unless this belongs to a visit that was counted."""
        return None if self.visit else self._visitor()


def _location(held: HeldLink, secret: str, thread: Thread) -> str:
    return f"/api/v1/shared/{secret}/threads/{held.names.thread_key(thread.uid)}/comments/"
