"""Search: documents by their words, titles while they are typed."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from django.http import HttpResponseBase
from rest_framework import serializers
from rest_framework.request import Request

from cloudscribe.lib.cursors import Cursor, InvalidCursor, decode_cursor, encode_cursor
from cloudscribe.lib.pagination import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, binding_of, page_links
from cloudscribe.lib.permissions import Authenticated
from cloudscribe.lib.renderers import dump_json
from cloudscribe.lib.serializers import (
    QueryIntegerField,
    QuerySerializer,
    StrictDateTimeField,
    StrictUUIDField,
)
from cloudscribe.lib.viewsets import ServiceViewSet
from documents import limits
from documents.api.serializers import DocumentListed
from documents.models import State
from documents.search.finding import Found, Hit, SearchFilters, documents_find, titles_suggest
from documents.search.planning import question_ask_along
from documents.search.query import MAX_LENGTH

_KEY = re.compile(r"\d{1,20}(?:\.\d{1,4})?")


def _page_size() -> QueryIntegerField:
    return QueryIntegerField(min_value=1, max_value=MAX_PAGE_SIZE, default=DEFAULT_PAGE_SIZE)


class SearchQuery(QuerySerializer):
    """What is looked for and what narrows it."""

    q = serializers.CharField(
        max_length=MAX_LENGTH,
        help_text='Words, all wanted; `"a phrase"`, `this OR that`, `-without`; the last may be unfinished.',
    )
    sort = serializers.ChoiceField(choices=["relevance", "updated"], default="relevance")
    workspace = StrictUUIDField(required=False)
    subtree = StrictUUIDField(required=False, help_text="A document: it and what stands below it.")
    author = StrictUUIDField(required=False, help_text="Who made the document.")
    tag = serializers.CharField(required=False, max_length=limits.TAG_LENGTH)
    state = serializers.ChoiceField(
        required=False, choices=State.values, help_text="Archived documents are found only when asked for."
    )
    language = serializers.CharField(required=False, max_length=limits.LANGUAGE_LENGTH)
    updated__gte = StrictDateTimeField(required=False)
    updated__lte = StrictDateTimeField(required=False)
    has_attachment = serializers.BooleanField(required=False)
    cursor = serializers.CharField(required=False, help_text="Where the page starts; taken from `next`.")
    page_size = _page_size()


# Fields keep nothing of what they check; to copy them takes longer.
_FIELDS = SearchQuery().fields
# Where one of these is given other things are asked of the words.
_ASKED_OTHERWISE = {"language", "subtree"}
_DEFAULTS = {"sort": "relevance", "page_size": DEFAULT_PAGE_SIZE}


class SuggestQuery(QuerySerializer):
    """The start of a title."""

    q = serializers.CharField(max_length=MAX_LENGTH)
    page_size = _page_size()


class HitAnswer(serializers.Serializer[Any]):
    """A document found, with what was found in it as HTML whose only tags are `<mark>`."""

    document = DocumentListed()
    score = serializers.FloatField()
    snippet = serializers.CharField(allow_blank=True)
    title_highlighted = serializers.CharField()


class FacetAnswer(serializers.Serializer[Any]):
    """How many of all hits have a value."""

    value = serializers.CharField()
    count = serializers.IntegerField()


class FacetsAnswer(serializers.Serializer[Any]):
    """The most frequent values among all hits; workspaces and authors by id."""

    workspace = FacetAnswer(many=True)
    tag = FacetAnswer(many=True)
    author = FacetAnswer(many=True)
    state = FacetAnswer(many=True)
    language = FacetAnswer(many=True)


class SearchAnswer(serializers.Serializer[Any]):
    """A page of hits. Where very much is found `total` is a lower bound, `gte`."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = HitAnswer(many=True)
    total = serializers.IntegerField()
    total_relation = serializers.ChoiceField(choices=["eq", "gte"])
    facets = FacetsAnswer()
    suggestion = serializers.CharField(allow_null=True, help_text="The query with a mistyped word mended.")


class SuggestionAnswer(serializers.Serializer[Any]):
    """A document whose title goes on as typed."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    workspace = serializers.UUIDField()


class SuggestAnswer(serializers.Serializer[Any]):
    """The first titles; there are no further pages."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = SuggestionAnswer(many=True)


class SearchViewSet(ServiceViewSet):
    """Finding documents among those that the reader may see."""

    permission_classes = [Authenticated]
    serializers: ClassVar = {"find": SearchAnswer, "suggest": SuggestAnswer}
    queries: ClassVar = {"find": SearchQuery, "suggest": SuggestQuery}
    scope_map: ClassVar = {"find": "documents:read", "suggest": "documents:read"}
    rate_scope = "search"

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """As everywhere; what the words are is asked for together with who asks."""
        given = request.query_params
        if self.action == "find" and "q" in given and not given.keys() & _ASKED_OTHERWISE:
            question_ask_along(given["q"])
        super().initial(request, *args, **kwargs)

    def find(self, request: Request) -> HttpResponseBase:
        """Search documents by their words, best first or newest first."""
        wanted = self._wanted()
        text, sort, size = wanted.pop("q"), wanted.pop("sort"), wanted.pop("page_size")
        bound = binding_of(request, sort)
        cursor = _cursor_of(wanted.pop("cursor", ""), bound)
        found = documents_find(
            actor=self.actor,
            text=text,
            filters=SearchFilters(**{name.replace("__", "_"): value for name, value in wanted.items()}),
            sort=sort,
            size=size,
            cursor=cursor,
        )
        return self.raw_json(dump_json(self._answer(found, bound)))

    def _wanted(self) -> dict[str, Any]:
        """As `query`, without a serializer of its own for each request, unless to tell what is wrong."""
        given = self.request.query_params
        try:
            wanted = {name: _FIELDS[name].run_validation(value) for name, value in given.items()}
        except serializers.ValidationError:
            return self.query()
        return {**_DEFAULTS, **wanted} if "q" in wanted else self.query()

    def suggest(self, request: Request) -> HttpResponseBase:
        """Suggest documents by what was typed of their titles."""
        wanted = self.query()
        titles = titles_suggest(actor=self.actor, text=wanted["q"], size=wanted["page_size"])
        return self.raw_json(dump_json({"next": None, "previous": None, "results": titles}))

    def _answer(self, found: Found, bound: str) -> dict[str, Any]:
        following, before = found.page.next, found.page.previous
        return {
            **page_links(self.request, _text_of(following, bound), _text_of(before, bound)),
            "results": [_result(hit) for hit in found.page.rows],
            "total": found.total,
            "total_relation": "eq" if found.exact else "gte",
            "facets": found.facets,
            "suggestion": found.suggestion,
        }


def _result(hit: Hit) -> dict[str, Any]:
    return {
        "document": hit.document,
        "score": hit.score,
        "snippet": hit.snippet,
        "title_highlighted": hit.title,
    }


def _text_of(edge: Cursor | None, bound: str) -> str | None:
    return encode_cursor(edge.values, edge.reverse, bound=bound) if edge else None


def _cursor_of(text: str, bound: str) -> Cursor | None:
    if not text:
        return None
    cursor = decode_cursor(text, [str, int], bound=bound)
    if not _KEY.fullmatch(cursor.values[0]):
        raise InvalidCursor
    return cursor
