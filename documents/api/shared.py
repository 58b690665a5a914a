"""`shared/{secret}/`: what a share link opens, for whoever holds it."""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, ClassVar

from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from accounts.devices import device_of
from cloudscribe.lib.actor import set_actor
from cloudscribe.lib.conditional import if_none_match, parse_if_match
from cloudscribe.lib.errors import Forbidden
from cloudscribe.lib.permissions import Public
from cloudscribe.lib.renderers import dump_json
from cloudscribe.lib.serializers import StrictCharField, StrictSerializer
from cloudscribe.lib.viewsets import ServiceViewSet
from documents import limits
from documents.api.attachments import FILE_ANSWERS, RANGE
from documents.api.content import (
    CONTENT_ANSWERS,
    MARKDOWN,
    ContentInput,
    MarkdownParser,
    NoteQuery,
    OperationsField,
    content_as,
    content_renderers,
    content_sent,
    content_variant,
    operations_of,
)
from documents.api.editing import PREFER, merge_wanted
from documents.api.read_log import document_read_tell
from documents.api.rendering import HeadingOutput
from documents.api.serializers import BodyField
from documents.api.serving import blob_answer
from documents.etags import ExpectedRevision, expected_revision
from documents.models import Document
from documents.operations import Operation
from documents.rendering import RENDERER_VERSION
from documents.roles import LINK_BITS
from documents.selectors.links import HeldLink
from documents.selectors.shared import shared_answer, shared_document, shared_file, shared_rendering
from documents.services.link_visits import Visitor, link_enter, link_use, visit_pass
from documents.services.sharing import shared_content_write

# What a revision holds beside the body: an editor by link changes none of it.
_NOT_BY_LINK = frozenset({"title", "language", "tags", "icon", "template", "owner", "inherits_access"})
_VISIT = "X-Link-Visit"
PASSWORD = OpenApiParameter(
    "X-Link-Password", str, OpenApiParameter.HEADER, description="The link's password, where it has one."
)
VISIT = OpenApiParameter(
    _VISIT,
    str,
    OpenApiParameter.HEADER,
    description="The value of this header in an earlier answer: the request belongs to that visit, is no use "
    "of its own and needs no password.",
)


class SharedChild(serializers.Serializer[Any]):
    """A document right below; `key` is for `shared/{secret}/documents/{key}/`, and this link's alone."""

    key = serializers.CharField()
    title = serializers.CharField()
    icon = serializers.CharField(allow_blank=True)


class SharedFile(serializers.Serializer[Any]):
    """A file of the document; `key` is for `shared/{secret}/files/{key}/`, and this link's alone."""

    key = serializers.CharField()
    title = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField(help_text="In bytes.")


class SharedAnswer(serializers.Serializer[Any]):
    """A document as a link shows it. In text and HTML keys stand in place of ids."""

    title = serializers.CharField()
    content = serializers.CharField(allow_blank=True, help_text="The body in Markdown.")
    html = serializers.CharField(allow_blank=True)
    toc = HeadingOutput(many=True)
    language = serializers.CharField()
    icon = serializers.CharField(allow_blank=True)
    role = serializers.ChoiceField(choices=[role.value for role in LINK_BITS])
    children = SharedChild(many=True)
    files = SharedFile(many=True)
    merged = serializers.BooleanField(
        required=False, help_text="In the answer to an edit: whether it was merged."
    )


class SharedContentInput(StrictSerializer):
    """The whole new body, or small edits of it; in both keys stand for ids as they were read."""

    content = BodyField(required=False)
    operations = OperationsField(required=False)
    note = StrictCharField(max_length=limits.NOTE_LENGTH, allow_blank=True, required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two."""
        if "content" not in attrs and "operations" not in attrs:
            text = "Send `content` or `operations`."
            raise serializers.ValidationError({"content": [text]}, code="required")
        if "content" in attrs and "operations" in attrs:
            text = "The whole body leaves nothing to operate on."
            raise serializers.ValidationError({"operations": [text]}, code="contradiction")
        return attrs


class SharedViewSet(ServiceViewSet):
    """What a share link opens. Who is signed in gets nothing more by that."""

    authentication_classes = ()
    permission_classes = [Public]
    no_store = True
    serializers: ClassVar = {
        "retrieve": SharedAnswer,
        "content": SharedAnswer,
        "content_update": SharedContentInput,
        "content_replace": ContentInput,
    }
    queries: ClassVar = {"content_replace": NoteQuery}
    answers: ClassVar = {"content_update": SharedAnswer, "content_replace": SharedAnswer}
    etag_actions: ClassVar = ("retrieve", "content", "file", "content_update", "content_replace")
    if_match: ClassVar = {"content_update": "required", "content_replace": "required"}
    problems: ClassVar = {
        **dict.fromkeys(("retrieve", "content"), (401, 404, 429)),
        "file": (401, 404, 409, 416, 429),
        **dict.fromkeys(("content_update", "content_replace"), (401, 403, 404, 409, 412, 422, 423, 428, 429)),
    }
    tag = "shared"
    visit: str | None = None

    def get_renderers(self) -> list[BaseRenderer]:
        """JSON, and of the content what it is."""
        if self.action == "content":
            return content_renderers()
        return super().get_renderers()

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[BaseRenderer, str]:  # noqa: FBT001, FBT002 (the framework's)
        """By Accept, but for a file, which is what it is."""
        return super().perform_content_negotiation(request, force or self.action == "file")

    def get_parsers(self) -> list[BaseParser]:
        """JSON, and Markdown for the whole content."""
        if self.request is None or self.request.method != "PUT":
            return super().get_parsers()
        return [MarkdownParser()]

    @extend_schema(parameters=[PASSWORD, VISIT])
    def retrieve(self, request: Request, secret: str, key: str | None = None) -> HttpResponseBase:
        """The shared document, or one below it, with what it leads on to.

        A password goes into the header `X-Link-Password`. An answer with the document counts as a use, unless
        the request carries `X-Link-Visit` of an earlier one; a 304 and a HEAD count as none.
        """
        held, shown = self._shown(secret, key)
        answer = shared_answer(held, shown)
        etag = self._etag(held, shown, answer)
        self._count(held, etag)
        document_read_tell(request, held.actor, shown, etag)
        return self.respond(answer, etag=etag)

    @property
    def default_response_headers(self) -> dict[str, str]:
        """The body has several forms at one address."""
        return {"Vary": "Accept"} if self.action == "content" else super().default_response_headers

    @extend_schema(parameters=[PASSWORD, VISIT], responses=CONTENT_ANSWERS)
    def content(self, request: Request, secret: str, key: str | None = None) -> HttpResponseBase:
        """The body of the shared document, or of one below it: Markdown, plain text or HTML by `Accept`."""
        held, shown = self._shown(secret, key)
        kind = str(request.accepted_renderer.media_type)
        etag = held.names.etag(shown.uid, held.epoch, shown.revision, content_variant(kind))
        self._count(held, etag)
        if if_none_match(request, etag):
            return self.respond(etag=etag)
        document_read_tell(request, held.actor, shown)
        text = content_as(kind, shown.body.content, lambda: shared_rendering(shown))
        response = HttpResponse(held.names.masked(text), content_type=f"{kind}; charset=utf-8")
        return self._with_headers(response, etag, None)

    @extend_schema(parameters=[PASSWORD, VISIT, PREFER])
    def content_update(self, request: Request, secret: str, key: str | None = None) -> HttpResponseBase:
        """Write the body, by a link for editing, from the version that If-Match names.

        Send the whole as `content`, or small edits as `operations`. Where others have written since, the
        server merges by lines and words; the link is the author.
        """
        if isinstance(request.data, dict) and (more := sorted(_NOT_BY_LINK & request.data.keys())):
            raise Forbidden(f"A link lets nobody change more than the content: {', '.join(more)}.")
        given = self.input()
        content = given["content"] if "content" in given else operations_of(given)
        return self._write(request, secret, key, content=content, note=given.get("note", ""))

    @extend_schema(parameters=[PASSWORD, VISIT, PREFER], request=MARKDOWN, responses=SharedAnswer)
    def content_replace(self, request: Request, secret: str, key: str | None = None) -> HttpResponseBase:
        """As PATCH, with the Markdown itself as the body of the request."""
        content, note = content_sent(request), self.query().get("note", "")
        return self._write(request, secret, key, content=content, note=note)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Let no page that the content leads to learn the secret, and no engine index it."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
        if self.visit and response.status_code < HTTPStatus.BAD_REQUEST:
            response.headers[_VISIT] = self.visit
        return response

    @extend_schema(parameters=[PASSWORD, VISIT, RANGE], responses=FILE_ANSWERS)
    def file(self, request: Request, secret: str, key: str) -> HttpResponseBase:
        """A file of a shared document, whole or a range of it."""
        held = self._opened(secret)
        row = shared_file(held, key)
        answer = blob_answer(request, row.blob, row.name)
        if answer.status_code != HTTPStatus.NOT_MODIFIED:
            self._count(held)
        return answer

    # --- what they share ---
    def _opened(self, secret: str) -> HeldLink:
        """The link, if it opens anything to this client; sets `visit` where the client is within one."""
        shown = self.request.headers.get(_VISIT, "")
        address = self._visitor().address
        held, within = link_enter(
            secret=secret, shown=shown, password=_password(self.request), address=address
        )
        self.visit = shown if within else None
        set_actor(held.actor)
        return held

    def _shown(self, secret: str, key: str | None) -> tuple[HeldLink, Document]:
        held = self._opened(secret)
        return held, shared_document(held, key)

    def _visitor(self) -> Visitor:
        return Visitor(self.request.META.get("REMOTE_ADDR", ""), device_of(self.request))

    def _count(self, held: HeldLink, etag: str | None = None) -> None:
        """Count a use, unless the client has what bears `etag`: then this answer shows nothing to it."""
        if self.visit or self.request.method == "HEAD":
            return
        if etag is not None and if_none_match(self.request, etag):
            return
        link_use(held=held, visitor=self._visitor())
        self.visit = visit_pass(held)

    def _etag(self, held: HeldLink, shown: Document, answer: dict[str, Any]) -> str:
        rest = {name: value for name, value in answer.items() if name not in {"content", "html", "toc"}}
        return held.names.etag(shown.uid, held.epoch, shown.revision, dump_json([RENDERER_VERSION, rest]))

    def _write(
        self,
        request: Request,
        secret: str,
        key: str | None,
        *,
        content: str | Sequence[Operation],
        note: str,
    ) -> HttpResponseBase:
        held, shown = self._shown(secret, key)
        edited = shared_content_write(
            held=held,
            document=shown,
            content=content,
            expected=self._expected(request, held, shown),
            merge=merge_wanted(request),
            visitor=None if self.visit else self._visitor(),
            note=note,
        )
        self.visit = self.visit or visit_pass(held)
        now = shared_document(held, key)
        answer = shared_answer(held, now)
        etag = self._etag(held, now, answer)
        return self.respond({**answer, "merged": edited.merged}, etag=etag)

    @staticmethod
    def _expected(request: Request, held: HeldLink, document: Document) -> ExpectedRevision | None:
        tags = held.names.known_tags(document.uid, parse_if_match(request))
        return expected_revision(tags, document, held.epoch)


def _password(request: Request) -> str | None:
    """The password of the header, which arrives byte by byte."""
    sent = request.META.get("HTTP_X_LINK_PASSWORD")
    if sent is None:
        return None
    try:
        return str(sent.encode("latin-1").decode())
    except UnicodeError:
        return str(sent)
