"""What a document said before: `documents/{id}/revisions/…`."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce
from django.http import HttpResponse, HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from cloudscribe.lib.conditional import if_none_match, make_etag
from cloudscribe.lib.pagination import PAGING_PARAMETERS
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.serializers import (
    ActorReferenceSerializer,
    QueryIntegerField,
    QuerySerializer,
    StrictCharField,
    StrictSerializer,
)
from documents import diffs, limits
from documents.api.answering import DocumentAnswering
from documents.api.editing import PREFER, expected_of, merge_wanted
from documents.api.read_log import document_read_tell
from documents.authors import author_reference
from documents.models import Document, Revision, RevisionName
from documents.selectors.revisions import Snapshot, revision_snapshot
from documents.services.revision_names import revision_name_set
from documents.services.revisions import revision_restore

_EMPTY = Snapshot(0, {}, "")


class RevisionOutput(serializers.Serializer[Revision]):
    """A revision without its body."""

    number = serializers.IntegerField()
    author = serializers.SerializerMethodField()
    note = serializers.CharField()
    parent = serializers.IntegerField(allow_null=True)  # type: ignore[assignment]
    base = serializers.IntegerField(allow_null=True)
    meta = serializers.DictField()
    sha256 = serializers.SerializerMethodField()
    size = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    name = serializers.CharField(source="called", help_text="What people call it, empty for none.")

    def get_author(self, revision: Revision) -> ActorReferenceSerializer:
        """Who wrote it."""
        return author_reference(revision.author, revision.author_actor)  # type: ignore[return-value]

    def get_sha256(self, revision: Revision) -> str:
        """SHA-256 of the body's UTF-8, in hexadecimal."""
        return bytes(revision.sha256).hex()


class RevisionDetailOutput(RevisionOutput):
    """A revision with its body."""

    content = serializers.CharField()


class RevisionListQuery(QuerySerializer):
    """Which revisions."""

    named = serializers.BooleanField(required=False, help_text="Those with a name, or those without.")


class RevisionNameInput(StrictSerializer):
    """What to call it; an empty name takes it away."""

    name = StrictCharField(max_length=limits.NAME_LENGTH, allow_blank=True)


class DiffQuery(QuerySerializer):
    """`against` is the revision to compare with, the one before it by default."""

    against = QueryIntegerField(min_value=1, max_value=2**31 - 1, required=False)
    format = serializers.ChoiceField(choices=["unified", "words", "json"], default="unified")


class RunOutput(serializers.Serializer[Any]):
    """Text and its fate."""

    op = serializers.ChoiceField(choices=["delete", "equal", "insert"])
    text = serializers.CharField()


class HunkOutput(serializers.Serializer[Any]):
    """Changed lines and up to three unchanged ones around them: `lines`, or `words` in that format."""

    old_start = serializers.IntegerField()
    old_lines = serializers.IntegerField()
    new_start = serializers.IntegerField()
    new_lines = serializers.IntegerField()
    lines = RunOutput(many=True, required=False)
    words = RunOutput(many=True, required=False)


class DiffOutput(serializers.Serializer[Any]):
    """The difference between two revisions."""

    against = serializers.IntegerField()
    number = serializers.IntegerField()
    fields_changed = serializers.DictField(
        help_text="Field to `before` and `after`; the body is in the hunks."
    )
    hunks = HunkOutput(many=True)


class PlainText(BaseRenderer):
    """Lets a client that accepts text alone through to the unified diff."""

    media_type = "text/plain"
    format = "text"

    def render(self, data: Any, *_: Any) -> bytes:
        """The text as it is."""
        return str(data).encode()


class RestoreInput(StrictSerializer):
    """A word on why."""

    note = StrictCharField(max_length=limits.NOTE_LENGTH, allow_blank=True, required=False)


class RevisionViewSet(DocumentAnswering):
    """The revisions of a document, newest first."""

    permission_classes = [Authenticated]
    document_kwarg = "document"
    lookup_url_kwarg = "number"
    lookup_value_regex = "[1-9][0-9]{0,8}"
    default_ordering = "-number"
    unique_orderings = ("number",)
    serializers: ClassVar = {
        "list": RevisionOutput,
        "retrieve": RevisionDetailOutput,
        "partial_update": RevisionNameInput,
        "diff": DiffOutput,
        "restore": RestoreInput,
    }
    answers: ClassVar = {"partial_update": RevisionOutput}
    queries: ClassVar = {"list": RevisionListQuery, "diff": DiffQuery}
    scope_map: ClassVar = {
        "list": "documents:read",
        "retrieve": "documents:read",
        "diff": "documents:read",
        "partial_update": "documents:write",
        "restore": "documents:write",
    }
    if_match: ClassVar = {"restore": "required"}
    etag_actions: ClassVar = ("restore",)
    problems: ClassVar = {
        "retrieve": (410,),
        "diff": (410,),
        "partial_update": (404, 409, 410),
        "restore": (409, 410, 412, 428),
    }

    def get_renderers(self) -> list[BaseRenderer]:
        """JSON, and for a diff plain text, too."""
        return [*super().get_renderers(), *([PlainText()] if self.action == "diff" else [])]

    def get_queryset(self) -> QuerySet[Revision]:
        """The revisions of the document of the address."""
        return self._rows(self.document_here())

    def list(self, request: Request, document: str) -> HttpResponseBase:
        """List the revisions of a document."""
        query = self.query() if request.query_params.keys() - PAGING_PARAMETERS else {}
        rows = self.get_queryset()
        if "named" in query:
            rows = rows.filter(naming__isnull=not query["named"])
        return self.paged(rows)

    def retrieve(self, request: Request, document: str, number: str) -> HttpResponseBase:
        """One revision with its body."""
        here = self.document_here()
        row, snapshot = self._found(here, int(number))
        data = {**RevisionOutput(row).data, "content": snapshot.content}
        etag = make_etag(data["sha256"], row.pk, data["author"], data["name"])
        document_read_tell(request, self.actor, here, etag, revision=int(number))
        return self.respond(data, etag=etag)

    def partial_update(self, request: Request, document: str, number: str) -> HttpResponseBase:
        """Give a revision a name, by which it is found and which keeps its body for good (editors)."""
        here, name = self.document_here(), self.input()["name"]
        revision_name_set(actor=self.actor, document=here, number=int(number), name=name)
        return self.respond(RevisionOutput(self._row(here, int(number))).data)

    @extend_schema(responses={(200, "text/plain"): str, (200, "application/json"): DiffOutput})
    def diff(self, request: Request, document: str, number: str) -> HttpResponseBase:
        """What changed up to this revision: as a unified diff, or as hunks of lines or words."""
        wanted = self.query()
        here = self.document_here()
        against = wanted.get("against", int(number) - 1)
        new = revision_snapshot(here.pk, int(number))
        old = revision_snapshot(here.pk, against) if against else _EMPTY
        etag = make_etag(here.pk, against, new.number, wanted["format"])
        document_read_tell(request, self.actor, here, etag, revision=new.number)
        if wanted["format"] == "unified":
            return self._plain(old, new, etag)
        hunks = diffs.line_hunks if wanted["format"] == "json" else diffs.word_hunks
        data = {
            "against": against,
            "number": new.number,
            "fields_changed": _fields_changed(old, new),
            "hunks": hunks(old.content, new.content),
        }
        return self.respond(data, etag=etag)

    @extend_schema(parameters=[PREFER])
    def restore(self, request: Request, document: str, number: str) -> HttpResponseBase:
        """Make this revision the newest one, from the version that If-Match names; history goes on."""
        note = self.input().get("note", "")
        here = self.document_here()
        edited = revision_restore(
            actor=self.actor,
            document=here,
            number=int(number),
            expected=expected_of(request, self.actor, here),
            merge=merge_wanted(request),
            note=note,
        )
        return self.document_answer(edited.document, row=edited.row, merged=edited.merged)

    def _rows(self, document: Document) -> QuerySet[Revision]:
        # Without joins, which the planner may choose to do for all revisions before it sorts them.
        name = RevisionName.objects.filter(revision=OuterRef("pk")).values("name")
        rows = Revision.objects.filter(document=document).prefetch_related("author")
        return rows.annotate(called=Coalesce(Subquery(name), Value("")))

    def _row(self, document: Document, number: int) -> Revision:
        return self.get_object_or_404(self._rows(document), number=number)

    def _found(self, document: Document, number: int) -> tuple[Revision, Snapshot]:
        return self._row(document, number), revision_snapshot(document.pk, number)

    def _plain(self, old: Snapshot, new: Snapshot, etag: str) -> HttpResponseBase:
        if if_none_match(self.request, etag):
            return self._with_headers(HttpResponse(status=304), etag, None)
        names = (f"revision {old.number}", f"revision {new.number}")
        text = diffs.unified(old.content, new.content, *names)
        return self._with_headers(HttpResponse(text, content_type="text/plain; charset=utf-8"), etag, None)


def _fields_changed(old: Snapshot, new: Snapshot) -> dict[str, dict[str, Any]]:
    return {
        name: {"before": old.meta.get(name), "after": value}
        for name, value in new.meta.items()
        if old.meta.get(name) != value
    }
