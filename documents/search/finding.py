"""Find documents. The reader's rights are part of the statement: nothing here holds what may not be seen."""

from __future__ import annotations

import dataclasses
import datetime as dt
import html
import uuid
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import orjson
from django.db import connection

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.cursors import Cursor, Page, cut_page
from cloudscribe.lib.postgresql.base import prepared_cursor
from documents.markdown import snippet_text
from documents.search.languages import configuration_for
from documents.search.plans import ConfigurationPlan, Plan, plan_of, probes_of
from documents.search.query import Query, parse_query
from documents.search.statements import HITS_SQL, PLAN_SQL, SIMILAR_SQL, SUGGEST_SQL
from documents.visibility import targets_for, visible_parameters

FACETS = ("workspace", "tag", "author", "state", "language")
# What the third way looks at: the newest so many visible documents, for up to so many hits.
_WINDOW = 20_000
_CANDIDATES = 500
_FACET_VALUES = 20
_CORRECTIONS_TRIED = 4
_START, _STOP = "\x01", "\x02"


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


_FILTERS = tuple(field.name for field in dataclasses.fields(SearchFilters))


@dataclasses.dataclass(frozen=True, slots=True)
class Hit:
    """A document found: its row, its place in the order, and HTML whose only tags are `<mark>`."""

    pk: int
    key: str
    score: float
    title: str
    snippet: str


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

    `sort` is `relevance` or `updated`. Two statements; more only where nothing is found and a word looks
    mistyped.
    """
    query = parse_query(text)
    if not query.clauses:
        return NOTHING
    scope = _scope(actor, filters)
    plan = _plan(query, scope)
    if not plan.parameters["configs"]:
        return NOTHING
    rows, total, strict, facets = _hits(plan, scope, sort, size, cursor)
    suggestion = None
    if not strict and cursor is None and plan.unknown_words:
        suggestion = _correction(query, plan, scope)
    exact = plan.way != "newest" and total - strict < _CANDIDATES
    page = cut_page(rows, size, cursor, lambda hit: (hit.key, hit.pk))
    return Found(page, total, exact, facets, suggestion)


def titles_suggest(*, actor: Actor, text: str, size: int) -> list[dict[str, Any]]:
    """Documents whose titles hold the words typed, the last one unfinished: `id title workspace`."""
    query = parse_query(text)
    if not query.clauses:
        return []
    scope = _scope(actor, SearchFilters())
    plan = _plan(query, scope)
    parameters = {**scope, **plan.parameters, "typed": text, "limit": size}
    parameters |= {"window": _WINDOW, "candidates": _CANDIDATES}
    with connection.cursor() as database:
        database.execute(SUGGEST_SQL[plan.way], parameters)
        return [{"id": uid, "title": title, "workspace": room} for uid, title, room in database.fetchall()]


def _scope(actor: Actor, filters: SearchFilters) -> dict[str, Any]:
    language = filters.language
    config = configuration_for(language) if language else None
    granted = len(targets_for(actor).roots)
    narrowed = {name: getattr(filters, name) for name in _FILTERS}
    parameters = {**visible_parameters(actor), **narrowed, "granted": granted, "config": config}
    asked = any(value is not None for value in narrowed.values())
    return parameters | {"narrowed": asked or actor.limit is not None}


def _plan(query: Query, scope: dict[str, Any]) -> Plan:
    probes = probes_of(query)
    parameters = {
        **scope,
        "all_words": query.all_words(),
        "in_title": query.in_title(),
        "queries": [probe.query for probe in probes],
        "words": [probe.word for probe in probes],
        "prefixes": [probe.prefix for probe in probes],
    }
    with prepared_cursor() as database:
        database.execute(PLAN_SQL, parameters)
        rows = database.fetchall()
    roots = scope["granted"]
    # What stands below a document granted by itself is counted only where that is a cut; a few each are
    # guessed.
    visible = rows[0][-1] + 2 * roots if rows else 0
    return plan_of(query, probes, [ConfigurationPlan(*row[:-1]) for row in rows], visible, roots)


def _hits(
    plan: Plan, scope: dict[str, Any], sort: str, size: int, cursor: Cursor | None
) -> tuple[list[Hit], int, int, dict[str, list[dict[str, Any]]]]:
    parameters = {
        **scope,
        **plan.parameters,
        "enough": size,
        "limit": size + 1,
        "after_key": Decimal(cursor.values[0]) if cursor else None,
        "after_id": cursor.values[1] if cursor else None,
        "sign": -1 if cursor and cursor.reverse else 1,
        "window": _WINDOW,
        "candidates": _CANDIDATES,
    }
    loose, narrowed = any(plan.parameters["any_terms"]), scope["narrowed"]
    text = HITS_SQL[plan.way, sort, loose, scope["subtree"] is not None, narrowed]
    # What narrows a search may lead to other indexes, and the walk hangs on its limits: planned for values.
    valued = narrowed or plan.way == "newest"
    with connection.cursor() if valued else prepared_cursor() as database:
        database.execute(text, parameters)
        total, strict, facets, rows = database.fetchone()
    spaceless = plan.spaceless
    hits = [
        Hit(pk, key, float(key), _marked(title, spaceless), _marked(snippet_text(fragment), spaceless))
        for pk, key, title, fragment in orjson.loads(rows)
    ]
    return hits, total, strict, _facets(orjson.loads(facets))


def _marked(text: str, spaceless: Sequence[str]) -> str:
    """The text as HTML in which marks are the only tags; the database took stray ones out before.

    PostgreSQL takes a run without spaces for one word, so what was looked for in it is marked here.
    """
    if spaceless and _START not in text:
        for part in spaceless:
            text = text.replace(part, f"{_START}{part}{_STOP}")
    return html.escape(text).replace(_START, "<mark>").replace(_STOP, "</mark>")


def _facets(counted: list[list[Any]]) -> dict[str, list[dict[str, Any]]]:
    facets: dict[str, list[dict[str, Any]]] = {name: [] for name in FACETS}
    for name, value, count in sorted(counted, key=lambda row: (-row[2], row[1])):
        if len(facets[name]) < _FACET_VALUES:
            facets[name].append({"value": value, "count": count})
    return facets


def _correction(query: Query, plan: Plan, scope: dict[str, Any]) -> str | None:
    """The query with its first unknown word mended, as it is written in a document that this reader sees."""
    word = plan.unknown_words[0]
    for config in plan.parameters["configs"]:
        with connection.cursor() as database:
            parameters = {"config": config, "word": word.lower(), "limit": _CORRECTIONS_TRIED}
            database.execute(SIMILAR_SQL, parameters)
            similar = [row[0] for row in database.fetchall()]
        for candidate in similar:
            found = _as_written(query.replaced(word, candidate), candidate, scope)
            if found:
                return str(query.replaced(word, found))
    return None


def _as_written(query: Query, lexeme: str, scope: dict[str, Any]) -> str | None:
    """How the lexeme is written in the best hit of the query; None without a visible hit."""
    rows, _, strict, _ = _hits(_plan(query, scope), scope, "relevance", 1, None)
    if not strict:
        return None
    marked = [part.split(_STOP)[0] for text in _texts(rows) for part in text.split(_START)[1:]]
    return min(marked, key=lambda written: not written.lower().startswith(lexeme[:3]), default=lexeme).lower()


def _texts(rows: list[Hit]) -> list[str]:
    return [
        html.unescape(text.replace("<mark>", _START).replace("</mark>", _STOP))
        for hit in rows
        for text in (hit.title, hit.snippet)
    ]
