"""Find documents. The reader's rights are part of the statement: nothing here holds what may not be seen."""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.cursors import Cursor, Page, cut_page
from cloudscribe.lib.postgresql.arrays import array_text
from cloudscribe.lib.postgresql.base import prepared_rows
from documents.markdown import snippet_text
from documents.search.languages import configuration_for
from documents.search.marking import as_html, marks_in, window_marked
from documents.search.planning import plan_made, question_of, question_typed
from documents.search.plans import CANDIDATES, WINDOW_NARROWED, WINDOW_WALKED, Plan
from documents.search.query import Query, parse_query
from documents.search.ranking import (
    FACETS,
    ID,
    TIER,
    Ranked,
    Row,
    by_relevance,
    by_update,
    counts_of,
    key_of,
    key_text,
    page_of,
)
from documents.search.statements import PAGE_SQL, SIMILAR_SQL, hits_sql
from documents.search.titles import suggest_sql
from documents.selectors.reading import Answer, answer_listed, names_of, row_seen
from documents.visibility import rights_of, targets_for, visible_parameters

__all__ = ["FACETS", "Found", "Hit", "SearchFilters", "documents_find", "titles_suggest"]

_CORRECTIONS_TRIED = 4
_SIMILAR_WORDS = 40
# The job that counts words comes every quarter of an hour; till then they are read off the newest documents.
_FRESH = 100
# A statement's cursor stays with the connection, its last answer too: for small ones, of the common shapes.
_TERMS_KEPT = 8


@dataclasses.dataclass(frozen=True, slots=True)
class SearchFilters:
    """What narrows a search; None leaves a side open."""

    workspace: uuid.UUID | None = None
    subtree: uuid.UUID | None = None
    author: uuid.UUID | None = None
    tag: str | None = None
    state: str | None = None
    language: str | None = None
    updated_gte: dt.datetime | None = None
    updated_lte: dt.datetime | None = None
    has_attachment: bool | None = None


_FILTERS = tuple(field.name for field in dataclasses.fields(SearchFilters))


@dataclasses.dataclass(frozen=True, slots=True)
class Hit:
    """A document found: its place in the order, and HTML whose only tags are `<mark>`."""

    place: Ranked
    document: Answer
    title: str
    snippet: str

    @property
    def score(self) -> float:
        """How well it matches; comparable within one search."""
        return float(self.place[0])


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """A page of hits and what is known of all of them; `exact` where `total` counts each one."""

    page: Page[Hit]
    total: int
    exact: bool
    facets: dict[str, list[dict[str, Any]]]
    suggestion: str | None


NOTHING = Found(Page([], None, None), 0, exact=True, facets={name: [] for name in FACETS}, suggestion=None)


def documents_find(
    *, actor: Actor, text: str, filters: SearchFilters, sort: str, size: int, cursor: Cursor | None = None
) -> Found:
    """Search for what was typed, among what the actor may see.

    `sort` is `relevance` or `updated`. Three statements, of which the first may have gone along with an
    earlier one; more where it isn't known yet about how much the actor sees, and where nothing is found and a
    word looks mistyped.
    """
    question = question_typed(text)
    if not question.query.clauses:
        return NOTHING
    scope = _scope(actor, filters)
    plan = plan_made(actor, question, scope)
    if not plan.parameters["configs"]:
        return NOTHING
    rows = _hits(plan, scope, sort, size)
    strict = sum(row[TIER] for row in rows)
    suggestion = None
    if not strict and cursor is None and plan.unknown_words:
        suggestion = _correction(actor, question.query, plan, scope)
    exact = plan.way != "newest" and len(rows) - strict < CANDIDATES
    places = _places(rows, plan, sort, size, cursor)
    page = cut_page(places, size, cursor, lambda place: (key_text(place[0]), place[1]))
    hits, facets = _shown(actor, plan, page.rows, rows)
    return Found(Page(hits, page.next, page.previous), len(rows), exact, facets, suggestion)


def titles_suggest(*, actor: Actor, text: str, size: int) -> list[dict[str, Any]]:
    """Documents in whose titles words begin as typed, those that begin so first: `id title workspace`.

    Where they are very many, some of the newest that the actor sees.
    """
    query = parse_query(text)
    if not query.clauses:
        return []
    parameters = {**visible_parameters(actor), "words": query.beginnings(), "typed": text, "limit": size}
    rows = prepared_rows(suggest_sql(limited=actor.limit is not None), parameters, ids_as_text=True)
    return [{"id": uid, "title": title, "workspace": room} for uid, title, room in rows]


def _scope(actor: Actor, filters: SearchFilters) -> dict[str, Any]:
    language = filters.language
    config = configuration_for(language) if language else None
    granted = len(targets_for(actor).roots)
    narrowed = {name: getattr(filters, name) for name in _FILTERS}
    parameters = {**visible_parameters(actor), **narrowed, "granted": granted, "config": config}
    asked = any(value is not None for value in narrowed.values())
    below = filters.subtree is not None or parameters["limit_document"] is not None
    return parameters | {"narrowed": asked or actor.limit is not None, "below": below}


def _hits(plan: Plan, scope: dict[str, Any], sort: str, size: int) -> Sequence[Row]:
    """All that was found, or so much of it as the plan's way looks at."""
    bounds = {"window": WINDOW_WALKED, "far": WINDOW_NARROWED, "candidates": CANDIDATES}
    parameters = {**scope, **plan.bound, **bounds, "enough": size}
    # What narrows a search may lead to other indexes, and the walk hangs on its limits: planned for values.
    # There is a text for each number of words: those of long questions would fill a connection's memory.
    valued = scope["narrowed"] or plan.way == "newest" or plan.terms > _TERMS_KEPT
    text = hits_sql(
        plan.way,
        sifted=plan.sifted,
        kept=plan.kept,
        terms=plan.terms if sort == "relevance" else None,
        loose=any(plan.parameters["any_terms"]),
        narrowed=scope["narrowed"],
        within=scope["subtree"] is not None,
        below=scope["below"],
    )
    if not valued:
        return prepared_rows(text, parameters)
    with connection.cursor() as database:
        database.execute(text, parameters)
        rows: Sequence[Row] = database.fetchall()
    return rows


def _places(
    rows: Sequence[Row], plan: Plan, sort: str, size: int, cursor: Cursor | None = None
) -> list[Ranked]:
    """The page's part of the order, from the cursor on, and one more."""
    relevance = sort == "relevance"
    ranked = by_relevance(rows, plan.weighing, plan.clauses) if relevance else by_update(rows)
    after = (key_of(cursor.values[0], whole=not relevance), cursor.values[1]) if cursor else None
    return page_of(ranked, size + 1, after, reverse=cursor is not None and cursor.reverse)


def _shown(
    actor: Actor, plan: Plan, places: Sequence[Ranked], rows: Sequence[Row]
) -> tuple[list[Hit], dict[str, list[dict[str, Any]]]]:
    """The page's documents with what is marked in them, and the facets of all that was found."""
    counts = counts_of(rows)
    if not rows:
        return [], _facets(counts, {})
    parameters = {
        **plan.bound,
        "doubtful": plan.doubtful,
        "ids": array_text([pk for _, pk in places]),
    }
    read = prepared_rows(PAGE_SQL, parameters, ids_as_text=True)
    found = {row[ID]: row for row in read}
    counted = {name: [pk for pk, _ in counts[name]] for name in ("workspace", "author")}
    names = names_of(read, people=counted["author"], workspaces=counted["workspace"])
    rights, hits = rights_of(actor), []
    for place in places:
        row = found.get(place[1])
        # Between the two statements it may have gone, or out of sight.
        if row is not None and row_seen(row, rights, actor.limit):
            document = answer_listed(row, names, rights, actor.limit)
            hits.append(Hit(place, document, as_html(row[-3], plan.spaceless), _snippet(row, plan)))
    authors = {pk: names.people[pk]["id"] for pk in counted["author"] if pk in names.people}
    return hits, _facets(counts, {"workspace": names.workspaces, "author": authors})


def _snippet(row: Row, plan: Plan) -> str:
    text, begun = row[-2:]
    if begun is None:
        return as_html(snippet_text(text), plan.spaceless)
    shown = window_marked(text, plan.words, plan.endless, begun=begun)
    return as_html(shown, plan.spaceless)


def _facets(
    counts: dict[str, list[tuple[Any, int]]], ids: Mapping[str, Mapping[int, str]]
) -> dict[str, list[dict[str, Any]]]:
    """Facets as they are shown: workspaces and authors by their id, none that is no more."""
    facets = {}
    for name, counted in counts.items():
        if name in ids:
            counted = [(ids[name][key], count) for key, count in counted if key in ids[name]]  # noqa: PLW2901
            counted.sort(key=lambda item: (-item[1], item[0]))
        facets[name] = [{"value": value, "count": count} for value, count in counted]
    return facets


def _correction(actor: Actor, query: Query, plan: Plan, scope: dict[str, Any]) -> str | None:
    """The query with its first unknown word mended, as it is written in a document that this reader sees."""
    word = plan.unknown_words[0]
    for config in plan.parameters["configs"]:
        with connection.cursor() as database:
            parameters = {"config": config, "word": word.lower(), "limit": _SIMILAR_WORDS, "fresh": _FRESH}
            database.execute(SIMILAR_SQL, parameters)
            similar = _nearest(word.lower(), database.fetchall())
        for candidate in similar[:_CORRECTIONS_TRIED]:
            found = _as_written(actor, query.replaced(word, candidate), candidate, scope)
            if found:
                return str(query.replaced(word, found))
    return None


def _nearest(word: str, similar: Sequence[tuple[str, int]]) -> list[str]:
    """The words by how much of the given one they keep in its order, then the more common ones.

    Trigrams find them, but two letters that changed places cost a word most of its trigrams.
    """
    matcher = difflib.SequenceMatcher(autojunk=False)
    matcher.set_seq2(word)

    def distance(candidate: tuple[str, int]) -> tuple[float, int, str]:
        matcher.set_seq1(candidate[0])
        return -matcher.ratio(), -candidate[1], candidate[0]

    return [found for found, _ in sorted(similar, key=distance)]


def _as_written(actor: Actor, query: Query, lexeme: str, scope: dict[str, Any]) -> str | None:
    """How the lexeme is written in the best hit of the query; None without a visible hit."""
    plan = plan_made(actor, question_of(query), scope)
    rows = _hits(plan, scope, "relevance", 1)
    if not sum(row[TIER] for row in rows):
        return None
    hits, _ = _shown(actor, plan, _places(rows, plan, "relevance", 1)[:1], rows)
    marked = [word for hit in hits for shown in (hit.title, hit.snippet) for word in marks_in(shown)]
    return min(marked, key=lambda written: not written.lower().startswith(lexeme[:3]), default=lexeme).lower()
