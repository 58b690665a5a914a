"""`documents/{id}/content/`: the body itself, as a whole or by small edits."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import IO, Any, ClassVar

from django.http import HttpResponse, HttpResponseBase
from django.utils.http import parse_header_parameters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ErrorDetail
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from cloudscribe.lib.conditional import if_none_match
from cloudscribe.lib.errors import MalformedBody, UnsupportedMedia
from cloudscribe.lib.gate import read_limited
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import (
    QuerySerializer,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)
from documents import limits
from documents.api.answering import DocumentAnswering
from documents.api.editing import PREFER, expected_of, merge_wanted
from documents.api.read_log import document_read_tell
from documents.api.serializers import BodyField, DocumentAnswer
from documents.caching import document_opened, rendering
from documents.etags import document_etag, parse_expected
from documents.operations import Op, Operation
from documents.plain_text import plain_text
from documents.rendering import RENDERER_VERSION, Rendered
from documents.selectors.editing import document_find
from documents.selectors.reading import document_read
from documents.services.editing import document_operate, document_update

# What each operation is told beside its text.
_TOLD = {
    Op.APPEND: frozenset(),
    Op.INSERT_AFTER_HEADING: frozenset({"heading"}),
    Op.PREPEND: frozenset(),
    Op.REPLACE: frozenset({"find", "count"}),
}
CONTENT_ANSWERS = {(200, "text/markdown"): str, (200, "text/plain"): str, (200, "text/html"): str}
MARKDOWN = {"text/markdown": str}


class OperationInput(StrictSerializer):
    """A small edit; `find` and `count` are for `replace`, `heading` for `insert_after_heading`."""

    example: ClassVar = {"op": "replace", "find": "350 g", "text": "370 g", "count": 1}

    op = serializers.ChoiceField(choices=[op.value for op in Op])
    text = BodyField(help_text="What is put there. Empty only in `replace`, which then removes.")
    find = BodyField(required=False, help_text="The text to replace, letter by letter as it stands there.")
    count = StrictIntegerField(
        min_value=1,
        max_value=limits.BODY_BYTES,
        required=False,
        help_text="How often `find` must stand there; each is replaced. 1 unless told.",
    )
    heading = StrictCharField(
        max_length=limits.HEADING_LENGTH,
        required=False,
        help_text="As it is written or as it reads, `## Title` or `Title`; it must stand there once.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Each operation has what it is told by, and nothing that it would not look at."""
        op = Op(attrs["op"])
        told, needed = _TOLD[op], _TOLD[op] - {"count"}
        errors: dict[str, Any] = {
            name: [ErrorDetail(f"{op} takes no {name}.", code="not_here")]
            for name in ("find", "count", "heading")
            if name in attrs and name not in told
        }
        for name in sorted(needed - attrs.keys()):
            errors[name] = [ErrorDetail("This field is required.", code="required")]
        empty = "find" if op is Op.REPLACE else "text"
        if attrs.get(empty) == "":
            errors[empty] = [ErrorDetail("This field may not be blank.", code="blank")]
        if errors:
            raise serializers.ValidationError(errors)
        return attrs


class OperationsField(serializers.ListField):
    """Up to a hundred small edits."""

    def __init__(self, **options: Any) -> None:
        super().__init__(child=OperationInput(), allow_empty=False, max_length=limits.OPERATIONS, **options)


class OperationsInput(StrictSerializer):
    """Small edits, done in their order, all or none."""

    operations = OperationsField()
    note = StrictCharField(max_length=limits.NOTE_LENGTH, allow_blank=True, required=False)


class ContentInput(StrictSerializer):
    """What `MarkdownParser` makes of the body of a PUT."""

    content = BodyField()


class NoteQuery(QuerySerializer):
    """A word on why, where the body of the request is the document's."""

    note = serializers.CharField(max_length=limits.NOTE_LENGTH, required=False, allow_blank=True)


class MarkdownParser(BaseParser):
    """text/markdown in UTF-8: the body as it is, its line ends and byte order mark among it."""

    media_type = "text/markdown"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None
    ) -> dict[str, str]:
        """The text as `content`; raises MalformedBody, BodyTooLarge or UnsupportedMedia."""
        _, parameters = parse_header_parameters(media_type or "")
        if parameters.get("charset", "utf-8").lower() not in {"utf-8", "utf8"}:
            raise UnsupportedMedia("Markdown is read in UTF-8 only.")
        try:
            text = read_limited(stream, limits.BODY_BYTES).decode()
        except UnicodeDecodeError as error:
            raise MalformedBody(f"The body is not UTF-8: byte {error.start + 1:,} of it.") from None
        if "\0" in text:
            raise MalformedBody("Text must not hold the character U+0000.")
        return {"content": text}


class _Text(BaseRenderer):
    charset = "utf-8"

    def render(self, data: Any, *_: Any) -> bytes:
        """The text as it is."""
        return str(data).encode()


class MarkdownText(_Text):
    """The body as it was written."""

    media_type = "text/markdown"
    format = "markdown"


class PlainText(_Text):
    """What a reader reads of it, for clients that know no Markdown."""

    media_type = "text/plain"
    format = "text"


class HtmlText(_Text):
    """The body as clean HTML."""

    media_type = "text/html"
    format = "html"


def content_renderers() -> list[BaseRenderer]:
    """The forms of a body, the one that goes without Accept first."""
    return [MarkdownText(), PlainText(), HtmlText()]


def content_sent(request: Request) -> str:
    """The body that a PUT brings. Nothing at all is the empty one, which no parser is asked for."""
    if not isinstance(request.data, dict) or "content" not in request.data:
        kind, _ = parse_header_parameters(request.content_type or "")
        if kind.lower() != MarkdownParser.media_type:
            raise UnsupportedMedia("Send the Markdown itself, as text/markdown.")
        return ""
    return str(request.data["content"])


def content_as(kind: str, content: str, render: Callable[[], Rendered]) -> str:
    """A body in the form of this media type; `render` gives its HTML, where that is needed."""
    if kind == MarkdownText.media_type:
        return content
    rendered = render()
    if kind == HtmlText.media_type:
        return rendered.html
    # What was too much to be read as Markdown is no plainer without.
    return content if rendered.plain else plain_text(rendered.html)


def content_rendering(content: str) -> Rendered:
    """The HTML of a body, from the cache that all readers share."""
    return rendering(hashlib.sha256(content.encode()).digest(), content)


def content_variant(kind: str) -> bytes:
    """What of an answer the revision doesn't fix: its form, and for all but the text itself who makes it."""
    return kind.encode() if kind == MarkdownText.media_type else f"{kind} {RENDERER_VERSION}".encode()


class ContentViewSet(DocumentAnswering):
    """The body of a document."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"partial_update": OperationsInput, "update": ContentInput}
    answers: ClassVar = dict.fromkeys(("update", "partial_update"), DocumentAnswer)
    queries: ClassVar = {"update": NoteQuery}
    scope_map: ClassVar = {
        "retrieve": "documents:read",
        **dict.fromkeys(("update", "partial_update"), "documents:write"),
    }
    if_match: ClassVar = dict.fromkeys(("update", "partial_update"), "required")
    etag_actions: ClassVar = ("update", "partial_update")
    problems: ClassVar = {
        "retrieve": (410,),
        "update": (409, 410, 412, 423, 428),
        "partial_update": (409, 410, 412, 422, 423, 428),
    }
    tag = "documents"

    def get_renderers(self) -> list[BaseRenderer]:
        """Of the body what it is, of the document JSON."""
        return content_renderers() if self.action == "retrieve" else super().get_renderers()

    def get_parsers(self) -> list[BaseParser]:
        """JSON for operations, and Markdown for the whole."""
        if self.request is None or self.request.method != "PUT":
            return super().get_parsers()
        return [MarkdownParser()]

    @property
    def default_response_headers(self) -> dict[str, str]:
        """The body has several forms at one address."""
        return {"Vary": "Accept"} if self.action == "retrieve" else super().default_response_headers

    @extend_schema(responses=CONTENT_ANSWERS)
    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """The body alone: as it was written, as HTML or as plain text, by `Accept`.

        Its ETag names the same revision as that of the document, and is as good in `If-Match`.
        """
        kind = str(request.accepted_renderer.media_type)
        known = parse_expected(request.META.get("HTTP_IF_NONE_MATCH", ""))
        answer, etag = self._read(kind, known.revision if known else None)
        current = if_none_match(request, etag)
        if "content" not in answer and not current:
            answer, etag = self._read(kind, None)
        document_opened(self.actor, id)
        if current:
            return self.respond(etag=etag)
        document_read_tell(request, self.actor, answer)
        content = answer["content"]
        text = content_as(kind, content, lambda: content_rendering(content))
        return self._with_headers(HttpResponse(text, content_type=f"{kind}; charset=utf-8"), etag, None)

    @extend_schema(parameters=[PREFER], request=MARKDOWN)
    def update(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Write the body from the version that If-Match names: the request's own body is the Markdown itself.

        As PATCH of the document with `content`: merged by lines and words where others have written since.
        """
        content, note = content_sent(request), self.query().get("note", "")
        document = document_find(self.actor, self.kwargs[self.document_kwarg])
        edited = document_update(
            actor=self.actor,
            document=document,
            changes={"content": content},
            expected=expected_of(request, self.actor, document),
            merge=merge_wanted(request),
            note=note,
        )
        return self.document_answer(edited.document, row=edited.row, merged=edited.merged)

    @extend_schema(parameters=[PREFER])
    def partial_update(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Do small edits to the body, made on the version that If-Match names, in their order, all or none.

        `append` and `prepend` begin a new line; `prepend` stays behind front matter. `replace` puts `text` in
        the place of `find`, which must stand there `count` times. `insert_after_heading` puts it right below
        the one heading of that name. What others have written since is merged; where that is a conflict and
        every operation fits the text of now as well, it is done there.
        """
        given = self.input()
        document = document_find(self.actor, self.kwargs[self.document_kwarg])
        edited = document_operate(
            actor=self.actor,
            document=document,
            operations=operations_of(given),
            expected=expected_of(request, self.actor, document),
            merge=merge_wanted(request),
            note=given.get("note", ""),
        )
        return self.document_answer(edited.document, row=edited.row, merged=edited.merged)

    def _read(self, kind: str, known: int | None) -> tuple[dict[str, Any], str]:
        """The document, without its body where the client knows that revision, and the tag of the form."""
        answer, _ = document_read(self.actor, self.kwargs[self.document_kwarg], known)
        epoch = self.actor.access_key.epoch if self.actor.access_key else 0
        return answer, document_etag(epoch, answer["revision"], content_variant(kind))


def operations_of(given: dict[str, Any]) -> list[Operation]:
    """The operations of a checked body."""
    return [Operation(**{**one, "op": Op(one["op"])}) for one in given["operations"]]
