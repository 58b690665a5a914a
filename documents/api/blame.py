"""`documents/{id}/blame/`: who wrote which line."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from cloudscribe.lib.conditional import make_etag
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import ActorReferenceSerializer, QueryIntegerField, QuerySerializer
from cloudscribe.lib.viewsets import ServiceViewSet
from documents.alignment import lines_of
from documents.api.reaching import DocumentReached
from documents.api.read_log import document_read_tell
from documents.blaming import Blame
from documents.selectors.blame import document_blame, revision_origins

_LONGEST = 10_000


class BlameQuery(QuerySerializer):
    """Of which revision, and from which line on."""

    revision = QueryIntegerField(
        min_value=1, max_value=2**31 - 1, required=False, help_text="The newest by default."
    )
    line = QueryIntegerField(
        min_value=1, max_value=2**31 - 1, default=1, help_text="The first line to tell of; see `next_line`."
    )


class BlamedOutput(serializers.Serializer[Any]):
    """Consecutive lines that came with one revision."""

    line = serializers.IntegerField(help_text="The number of the first, from 1.")
    count = serializers.IntegerField(help_text="How many they are.")
    text = serializers.CharField(help_text="The lines with their ends.")
    revision = serializers.IntegerField(help_text="The revision that they came with.")
    author = ActorReferenceSerializer(allow_null=True)
    at = serializers.DateTimeField()
    exact = serializers.BooleanField(
        help_text="False where they may have come earlier: the bodies right before that revision are kept "
        "no longer, or weren't looked at yet."
    )


class BlameOutput(serializers.Serializer[Any]):
    """Who wrote which line of a revision."""

    revision = serializers.IntegerField()
    complete = serializers.BooleanField(
        help_text="False where the history was too long to be read in one request: the next one goes on."
    )
    next_line = serializers.IntegerField(
        allow_null=True, help_text="Where to go on, by `line`, after 10,000 entries; null at the end."
    )
    lines = BlamedOutput(many=True)


class BlameViewSet(DocumentReached, ServiceViewSet):
    """Who wrote which line of a document."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"blame": BlameOutput}
    queries: ClassVar = {"blame": BlameQuery}
    scope_map: ClassVar = {"blame": "documents:read"}
    problems: ClassVar = {"blame": (404, 410)}
    tag = "revisions"

    @extend_schema(responses=BlameOutput)
    def blame(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """Who wrote which line, as `git blame` would say: the lines of the body, folded by revision.

        410 `revision_gone` where that revision's body is kept no longer.
        """
        wanted = self.query()
        here = self.document_here()
        shown, found = document_blame(self.actor, here, wanted.get("revision", here.revision))
        runs, next_line = _page(found, wanted["line"])
        origins = revision_origins(here.pk, {run["revision"] for run in runs})
        lines = lines_of(shown.content)
        for run in runs:
            first = run["line"] - 1
            run["text"] = "".join(lines[first : first + run["count"]])
            run.update(origins[run["revision"]])
        data = {"revision": shown.number, "complete": found.is_ended, "next_line": next_line, "lines": runs}
        authors = sorted({repr(origin["author"]) for origin in origins.values()})
        epoch = self.actor.access_key.epoch if self.actor.access_key else 0
        reach = (found.oldest, found.is_ended, found.gaps)
        etag = make_etag(here.pk, epoch, shown.number, wanted["line"], reach, authors)
        document_read_tell(request, self.actor, here, etag, revision=shown.number)
        return self.respond(data, etag=etag)


def _page(found: Blame, line: int) -> tuple[list[dict[str, Any]], int | None]:
    page: list[dict[str, Any]] = []
    for run in _numbered(found):
        if run["line"] + run["count"] <= line:
            continue
        if len(page) == _LONGEST:
            return page, run["line"]
        page.append(run)
    return page, None


def _numbered(found: Blame) -> Iterator[dict[str, Any]]:
    """The runs with their first lines; neighbours that end up with the same revision are one."""
    last: dict[str, Any] | None = None
    for run in found.runs:
        revision = found.revision_of(run)
        if last is not None and last["revision"] == revision:
            last["count"] += run.count
            continue
        if last is not None:
            yield last
        line = last["line"] + last["count"] if last else 1
        last = {"line": line, "count": run.count, "revision": revision, "exact": found.is_exact(run)}
    if last is not None:
        yield last
