"""`documents/`: documents, their places and their states."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Hashable, Sequence
from typing import Any, ClassVar

from django.http import HttpResponseBase
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from cloudscribe.jobs.api.serializers import JobOutput
from cloudscribe.jobs.models import Job
from cloudscribe.lib.conditional import if_none_match, make_etag
from cloudscribe.lib.cursors import decode_cursor, encode_cursor
from cloudscribe.lib.errors import InvalidInput, NotFound
from cloudscribe.lib.pagination import binding_of, page_links, page_size_of
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.renderers import dump_json
from documents.api.destinations import CHANGED, OTHER_WORKSPACE, DestinationMixin
from documents.api.editing import DocumentUpdateInput, EditingMixin, expected_of
from documents.api.effects import DryRunQuery, EffectsAnswer, either
from documents.api.filtering import documents_filtered
from documents.api.read_log import bodies_read_tell, document_read_tell
from documents.api.serializers import (
    AtQuery,
    DocumentAnswer,
    DocumentCreateInput,
    DocumentListed,
    DocumentPage,
    DocumentQuery,
    ListQuery,
    MoveInput,
)
from documents.caching import document_opened
from documents.etags import parse_expected
from documents.models import Document
from documents.policies import Action, can
from documents.selectors.editing import document_find, workspace_known
from documents.selectors.history import children_at, document_at, listed_at
from documents.selectors.listing import documents_page, page_ask_along, page_ask_no_more
from documents.selectors.reading import (
    Answer,
    answer_etag,
    document_ask_along,
    document_read_whole,
    documents_listed,
)
from documents.services.documents import NewDocument, document_create
from documents.services.states import (
    document_archive,
    document_publish,
    document_unarchive,
    document_unpublish,
)
from documents.services.templates import document_from_template
from documents.services.trash import document_purge, document_restore, document_trash
from documents.services.trees import document_move, document_move_preview
from documents.visibility import visible_to

_READ, _WRITE = "documents:read", "documents:write"
_WRITES = (
    "create",
    "partial_update",
    "move",
    "publish",
    "unpublish",
    "archive",
    "unarchive",
    "trash",
    "restore",
)
# What the prebuilt statement of the list can answer; anything else goes by the ORM.
_PLAIN = frozenset({"workspace", "page_size", "cursor"})


class DocumentViewSet(EditingMixin, DestinationMixin):
    """Documents that the reader may see."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {
        "list": DocumentListed,
        "retrieve": DocumentAnswer,
        "children": DocumentListed,
        "ancestors": DocumentListed,
        "create": DocumentCreateInput,
        "move": MoveInput,
        "partial_update": DocumentUpdateInput,
    }
    answers: ClassVar = dict.fromkeys(_WRITES, DocumentAnswer)
    queries: ClassVar = {
        "list": ListQuery,
        "retrieve": DocumentQuery,
        "children": AtQuery,
        **dict.fromkeys(("move", "partial_update"), DryRunQuery),
    }
    scope_map: ClassVar = {
        **dict.fromkeys(("list", "retrieve", "children", "ancestors"), _READ),
        **dict.fromkeys((*_WRITES, "destroy"), _WRITE),
    }
    if_match: ClassVar = {"partial_update": "required", "move": "optional", "trash": "optional"}
    etag_actions: ClassVar = _WRITES
    paged_actions: ClassVar = ("children",)
    problems: ClassVar = {
        "create": (409, 410, 422, 423),
        "partial_update": (409, 410, 412, 423, 428),
        "move": (409, 410, 412, 423),
        **dict.fromkeys(
            ("publish", "unpublish", "archive", "unarchive", "restore", "destroy"), (409, 410, 423)
        ),
        "trash": (409, 410, 412, 423),
        "retrieve": (410,),
        "children": (410,),
        "ancestors": (410,),
    }
    tag = "documents"

    @property
    def ordering_choices(self) -> tuple[str, ...]:  # type: ignore[override]
        """Children stand in their own order."""
        return () if self.action == "children" else ("created_at", "title", "updated_at")

    @property
    def default_ordering(self) -> str:  # type: ignore[override]
        """The newest first; children by position."""
        return "position" if self.action == "children" else "-updated_at"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """As everywhere; what a plain read or list reads is asked for together with who asks."""
        if self.action == "retrieve" and not request.META.get("QUERY_STRING"):
            document_ask_along(uuid.UUID(str(kwargs["id"])), _known(request))
        elif self.action == "list":
            page_ask_along(_asker(request))
        try:
            super().initial(request, *args, **kwargs)
        except Exception:
            # Whoever is refused over and over, as by a limit, is to cost no page each time.
            page_ask_no_more(_asker(request))
            raise

    # --- reads ---
    def list(self, request: Request) -> HttpResponseBase:
        """The documents that the reader may see, the newest first; without what is archived or a template."""
        # Checking parameters costs as much as a dozen rows: where there is none to check, none is.
        query = self.query() if request.query_params.keys() - {"page_size", "cursor"} else {}
        if request.query_params.keys() <= _PLAIN:
            return self._plain_list(request, query.get("workspace"))
        rows = self.paginate_queryset(documents_filtered(self.actor, query))
        fields = query.get("fields")
        content = "content" in (fields or query.get("expand", ()))
        listed = documents_listed(self.actor, [row.pk for row in rows or ()], content=content)
        shown = [listed[row.pk] for row in rows or () if row.pk in listed]
        bodies_read_tell(request, self.actor, shown)
        return self.get_paginated_response([_chosen(each, fields) for each in shown] if fields else shown)

    def retrieve(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (the route's name)
        """One document with its body; with `at` as it was then, as far as the reader may see it today."""
        query = self.query() if request.META.get("QUERY_STRING") else {}
        fields = query.get("fields")
        if "at" in query:
            answer, etag = document_at(self.actor, self.document_here(), query["at"])
            document_read_tell(request, self.actor, answer, etag)
            return self._read(answer, etag, fields)
        answer, etag = document_read_whole(
            self.actor,
            uuid.UUID(str(id)),
            None if fields else _known(request),
            lambda tag: if_none_match(request, tag),
        )
        document_opened(self.actor, id)
        document_read_tell(request, self.actor, answer, etag)
        return self._read(answer, etag, fields)

    def _read(self, answer: Answer, etag: str, fields: Sequence[str] | None) -> HttpResponseBase:
        if fields:
            answer = _chosen(answer, fields)
            etag = answer_etag(
                self.actor, {**answer, "content": None}, ",".join(sorted(set(fields))).encode()
            )
        return self.raw_json(dump_json(answer), etag=etag)

    def children(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """The documents right below it, in their order; with `at` those of then, as they were."""
        parent = self.document_here()
        at = self.query().get("at")
        if at is not None:
            places = self.paginate_queryset(children_at(self.actor, parent, at)) or ()
            return self.get_paginated_response(listed_at(self.actor, places, at))
        return self.documents_paged(documents_filtered(self.actor, {"parent": parent.uid}))

    @extend_schema(responses=DocumentPage)
    def ancestors(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """The documents above it that the reader may see, from the top down."""
        document = self.document_here()
        rows = visible_to(Document.objects.filter(pk__in=document.line[:-1]), self.actor)
        order = list(rows.order_by("depth").values_list("pk", flat=True))
        listed = documents_listed(self.actor, order)
        body = {"next": None, "previous": None, "results": [listed[pk] for pk in order if pk in listed]}
        return self.raw_json(dump_json(body), etag=make_etag(dump_json(body)))

    # --- writes ---
    def create(self, request: Request) -> HttpResponseBase:
        """Make a document in a workspace or below another document.

        With `from_template` it says what the template says, `{{title}}`, `{{date}}`, `{{author}}` and the
        template's own `variables` filled in.
        """
        given = self.input()
        parent_uid, workspace_uid = given.pop("parent", None), given.pop("workspace")
        parent = self._parent(parent_uid) if parent_uid else None
        if parent is None:
            workspace = workspace_known(self.actor, workspace_uid)
        else:
            workspace = parent.workspace
            if workspace.uid != workspace_uid:
                raise InvalidInput.field("/parent", "other_workspace", OTHER_WORKSPACE)
        place: Any = {"actor": self.actor, "workspace": workspace, "parent": parent}
        if "from_template" in given:
            template, variables = self.even_trashed(given.pop("from_template")), given.pop("variables", {})
            document, row = document_from_template(
                **place, template=template, variables=variables, given=given
            )
        else:
            document, row = document_create(**place, new=NewDocument(**given))
        return self.document_answer(document, row=row, created=True, rights_changed=document.is_cut)

    @extend_schema(responses={204: None, 202: JobOutput})
    def destroy(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Remove a trashed document for good, with all below it and its history."""
        job = document_purge(actor=self.actor, document=self._document_even_trashed())
        return self.respond() if job is None else self.job_answer(job)

    @extend_schema(responses={200: either("DocumentOrEffects", DocumentAnswer), 202: JobOutput})
    def move(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Move a document with all below it, or put it elsewhere among its siblings.

        With `dry_run` nothing is moved, and the answer tells who would gain and who would lose.
        """
        document = self.document_here("parent")
        to = self.destination(document, self.input())
        expected = expected_of(request, self.actor, document)
        if self.query()["dry_run"]:
            move = document_move_preview(actor=self.actor, document=document, to=to, expected=expected)
            return self.respond(EffectsAnswer(move).data)
        moved = document_move(actor=self.actor, document=document, to=to, expected=expected)
        return self.tree_answer(moved)

    @extend_schema(responses=CHANGED)
    def publish(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Show a draft to everybody whom its place lets see it."""
        document = document_publish(actor=self.actor, document=self.document_here())
        return self.tree_answer(document, rights_changed=True)

    @extend_schema(responses=CHANGED)
    def unpublish(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Make a draft of it again, which the acting person manages."""
        document = document_unpublish(actor=self.actor, document=self.document_here())
        return self.tree_answer(document, rights_changed=True)

    def archive(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Put it aside: readable, without writes, in no list unless asked for."""
        return self.document_answer(document_archive(actor=self.actor, document=self.document_here()))

    def unarchive(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Bring an archived document back."""
        return self.document_answer(document_unarchive(actor=self.actor, document=self.document_here()))

    @extend_schema(responses=CHANGED)
    def trash(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Put it into the trash with all below it."""
        document = self.document_here()
        expected = expected_of(request, self.actor, document)
        trashed = document_trash(actor=self.actor, document=document, expected=expected)
        if isinstance(trashed, Job):
            return self.job_answer(trashed)
        answer = documents_listed(self.actor, [document.pk], content=True)[document.pk]
        etag = answer_etag(self.actor, answer, b"trashed")
        return self.respond({**answer, "hidden": trashed.hidden}, etag=etag)

    @extend_schema(responses=CHANGED)
    def restore(self, request: Request, id: str) -> HttpResponseBase:  # noqa: A002 (as above)
        """Bring it back from the trash to its place, with what went there together with it."""
        restored = document_restore(actor=self.actor, document=self._document_even_trashed())
        return self.tree_answer(restored)

    # --- what they share ---
    def _plain_list(self, request: Request, workspace: uuid.UUID | None) -> HttpResponseBase:
        size, bound = page_size_of(request), binding_of(request, "-updated_at")
        text = request.GET.get("cursor")
        cursor = decode_cursor(text, [dt.datetime, int], bound=bound) if text else None
        asker = None if cursor else _asker(request)
        listing = documents_page(self.actor, size=size, cursor=cursor, workspace=workspace, asker=asker)
        edges = [
            encode_cursor(edge.values, edge.reverse, bound=bound) if edge else None
            for edge in (listing.page.next, listing.page.previous)
        ]
        body = dump_json({**page_links(request, edges[0], edges[1]), "results": listing.results})
        return self.raw_json(body)

    def _document_even_trashed(self) -> Document:
        """The document of the address; one in the trash only for those who may edit it."""
        return self.even_trashed(self.kwargs[self.document_kwarg])

    def _parent(self, uid: uuid.UUID) -> Document:
        """As `even_trashed`, by a prebuilt statement and with what a new child needs of it alone."""
        parent = document_find(self.actor, uid)
        if parent.is_trashed and not can(self.actor, Action.EDIT, parent):
            raise NotFound
        return parent


def _chosen(answer: Answer, fields: Sequence[str]) -> Answer:
    return {name: answer[name] for name in ("id", "revision", *fields)}


def _known(request: Request) -> int | None:
    """The revision that the client says it holds."""
    known = parse_expected(request.META.get("HTTP_IF_NONE_MATCH", ""))
    return known.revision if known else None


def _asker(request: Request) -> Hashable:
    """Who asks by which credential, and in which words; nobody's secret is kept for it."""
    return hash((request.META.get("HTTP_AUTHORIZATION"), request.META.get("QUERY_STRING")))
