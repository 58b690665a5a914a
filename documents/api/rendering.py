"""A document to look at: `documents/{id}/html/`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from cloudscribe.lib.conditional import make_etag
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.viewsets import ServiceViewSet
from documents.api.reaching import DocumentReached
from documents.caching import document_opened, rendering
from documents.rendering import RENDERER_VERSION, render_bounded


class HeadingOutput(serializers.Serializer[Any]):
    """A heading: where a link with `#anchor` leads."""

    level = serializers.IntegerField(min_value=1, max_value=6)
    title = serializers.CharField()
    anchor = serializers.CharField()


class RenderingOutput(serializers.Serializer[Any]):
    """The body as clean HTML; `plain` where it was too much to be read as Markdown and is shown as it is."""

    html = serializers.CharField()
    toc = HeadingOutput(many=True)
    revision = serializers.IntegerField()
    plain = serializers.BooleanField()


class RenderingViewSet(DocumentReached, ServiceViewSet):
    """The body as HTML."""

    permission_classes = (Authenticated,)
    serializers: ClassVar = {"html": RenderingOutput}
    scope_map: ClassVar = {"html": "documents:read"}
    problems: ClassVar = {"html": (410,)}
    tag = "documents"

    def html(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """The document as HTML.

        CommonMark with tables, strikethrough, task lists and footnotes; raw HTML in the text is shown as
        text. What comes out is cleaned and safe to put into a page.
        """
        document = self.document_here("body")
        document_opened(self.actor, document.uid)
        sha256 = bytes(document.body.sha256)
        etag = make_etag("html", RENDERER_VERSION, document.revision, sha256)
        rendered = rendering(sha256, lambda: render_bounded(document.body.content))
        return self.respond(
            self.shown(
                {
                    "html": rendered.html,
                    "toc": rendered.toc,
                    "revision": document.revision,
                    "plain": rendered.plain,
                }
            ),
            etag=etag,
        )
