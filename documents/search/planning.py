"""What a search begins with: what its words are to PostgreSQL, and about how much the reader sees."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping, Sequence
from typing import Any

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.postgresql.base import ask_along, prepared_rows
from documents.caching import visible_about
from documents.search.arrays import text_array
from documents.search.plans import ConfigurationPlan, Plan, Probe, plan_of, probes_of
from documents.search.query import MAX_LENGTH, Query, parse_query
from documents.search.statements import ABOUT_SQL, WORDS_BELOW_SQL, WORDS_SQL


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """A query, its words as they are looked up, and what the statement about them binds."""

    query: Query
    probes: Sequence[Probe]
    parameters: Mapping[str, str | None]


def question_of(query: Query) -> Question:
    """What is to be asked of a query's words."""
    probes = probes_of(query)
    parameters = {
        "all_words": query.all_words(),
        "marked": query.marked(),
        "queries": text_array(probe.query for probe in probes),
        "words": text_array(probe.word for probe in probes),
        "prefixes": text_array(probe.prefix for probe in probes),
        "config": None,
    }
    return Question(query, probes, parameters)


@functools.lru_cache(maxsize=64)
def question_typed(text: str) -> Question:
    """What is to be asked of what was typed; kept from when it is asked along until it is asked for."""
    return question_of(parse_query(text))


def question_ask_along(text: str) -> None:
    """Have what is asked of these words sent along with the question who asks."""
    # What no query holds is refused later.
    if len(text) > MAX_LENGTH or "\0" in text:
        return
    question = question_typed(text)
    if question.query.clauses:
        ask_along(WORDS_SQL, question.parameters)


def plan_made(actor: Actor, question: Question, scope: Mapping[str, Any]) -> Plan:
    """The way that a question goes within `scope`, which `documents.search.finding` makes."""
    parameters = {**question.parameters, "config": scope["config"]}
    if scope["below"]:
        rows = prepared_rows(WORDS_BELOW_SQL, {**scope, **parameters})
        visible, roots = rows[0][-1] if rows else 0, 1
    else:
        rows = prepared_rows(WORDS_SQL, parameters)
        visible, roots = _visible(actor, scope), scope["granted"]
    configurations = [ConfigurationPlan(*row[:-1]) for row in rows]
    return plan_of(question.query, question.probes, configurations, visible, roots)


def _visible(actor: Actor, scope: Mapping[str, Any]) -> int:
    def load() -> int:
        about: int = prepared_rows(ABOUT_SQL, scope)[0][0]
        return about

    if actor.pk is None or actor.access_key is None:
        return load()
    return visible_about(actor.pk, actor.access_key, load)
