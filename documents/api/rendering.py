"""Markdown to look at: `documents/{id}/html/` and `render/`."""

from __future__ import annotations

import hashlib
from typing import Any, ClassVar

from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from cloudscribe.lib.conditional import make_etag
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import QueryIntegerField, QuerySerializer, StrictSerializer
from cloudscribe.lib.viewsets import ServiceViewSet
from documents.api.reaching import DocumentReached
from documents.api.read_log import document_read_tell
from documents.api.serializers import BodyField
from documents.caching import document_opened, rendering
from documents.models import Document
from documents.rendering import RENDERER_VERSION, render_bounded
from documents.selectors.revisions import revision_snapshot


class HeadingOutput(serializers.Serializer[Any]):
    """A heading: where a link with `#anchor` leads."""

    level = serializers.IntegerField(min_value=1, max_value=6)
    title = serializers.CharField()
    anchor = serializers.CharField()


class PreviewOutput(serializers.Serializer[Any]):
    """The text as clean HTML; `plain` where it was too much to be read as Markdown and is shown as it is."""

    html = serializers.CharField()
    toc = HeadingOutput(many=True)
    plain = serializers.BooleanField()


class RenderingOutput(PreviewOutput):
    """The body as clean HTML; `plain` where it was too much to be read as Markdown and is shown as it is."""

    revision = serializers.IntegerField()


class RenderingQuery(QuerySerializer):
    """Which revision, the newest one by default."""

    revision = QueryIntegerField(min_value=1, max_value=2**31 - 1, required=False)


class PreviewInput(StrictSerializer):
    """A Markdown text."""

    content = BodyField()


class RenderingViewSet(DocumentReached, ServiceViewSet):
    """The body as HTML."""

    permission_classes = (Authenticated,)
    serializers: ClassVar = {"html": RenderingOutput}
    queries: ClassVar = {"html": RenderingQuery}
    scope_map: ClassVar = {"html": "documents:read"}
    problems: ClassVar = {"html": (410,)}
    tag = "documents"

    def html(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """The document as HTML, as it is or as one of its revisions had it.

        CommonMark with tables, strikethrough, task lists and footnotes; raw HTML in the text is shown as
        text. What comes out is cleaned and safe to put into a page. Links to documents lead to
        `/d/{short id}`, whoever reads. Code has the classes of Pygments' stylesheets, for which
        `/static/documents/code.css` has colours.
        """
        wanted = self.query().get("revision")
        document = self.document_here("body")
        document_opened(self.actor, document.uid)
        revision, content, sha256 = _body_of(document, wanted)
        etag = make_etag("html", RENDERER_VERSION, revision, sha256)
        document_read_tell(request, self.actor, document, etag, revision=revision)
        rendered = rendering(sha256, content)
        shown = {"html": rendered.html, "toc": rendered.toc, "revision": revision, "plain": rendered.plain}
        return self.respond(self.shown(shown), etag=etag)


def _body_of(document: Document, wanted: int | None) -> tuple[int, str, bytes]:
    """Number, body and its hash; raises NotFound, RevisionGone."""
    if wanted is None or wanted == document.revision:
        return document.revision, document.body.content, bytes(document.body.sha256)
    content = revision_snapshot(document.pk, wanted).content
    return wanted, content, hashlib.sha256(content.encode()).digest()


class PreviewViewSet(ServiceViewSet):
    """A text as HTML that is not stored."""

    permission_classes = (Authenticated,)
    serializers: ClassVar = {"preview": PreviewInput}
    answers: ClassVar = {"preview": PreviewOutput}
    scope_map: ClassVar = {"preview": "documents:read"}
    rate_scope = "render"
    tag = "documents"

    def preview(self, request: Request) -> HttpResponseBase:
        """Show a Markdown text as HTML, as `documents/{id}/html/` would; nothing is stored."""
        # Past the cache of documents: how fast an answer is would tell whether the text is a body here.
        rendered = render_bounded(self.input()["content"], preview=True)
        return self.respond(self.shown(rendered))
