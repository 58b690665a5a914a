"""Which way a search goes, by how rare its words are and how much the reader sees. Pure: without queries."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import Any

from documents.search.query import Query, Term

# Up to so many matches all are looked at; up to so many visible documents each one is asked.
MATCHES_RANKED = 5_000
VISIBLE_ASKED = 10_000
# A word in more documents than this says nothing on its own.
ANY_WORD_DOCUMENTS = 20_000
# Words per document where no statistic has been made yet.
_USUAL_LENGTH = 300.0
# An unfinished word counts for what it is first, for what it may become second.
_EXACT_SHARE, _PREFIX_SHARE = 0.8, 0.2


@dataclasses.dataclass(frozen=True, slots=True)
class Probe:
    """One word of a query as the planning statement asks for it."""

    term: Term
    query: str
    word: str
    prefix: bool


@dataclasses.dataclass(frozen=True, slots=True)
class ConfigurationPlan:
    """What the query is in one text search configuration, and how many documents hold each of its words."""

    config: str
    all_words: str
    in_title: str
    documents: int
    average_length: float
    queries: Sequence[str]
    counts: Sequence[int | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """How a query is answered: `way` is a key of HITS_SQL, `parameters` are what its statement binds."""

    way: str
    parameters: dict[str, Any]
    unknown_words: list[str]


def probes_of(query: Query) -> list[Probe]:
    """The words to ask the lexeme table for; the unfinished last one as a whole and as a start."""
    probes = []
    for term in query.terms:
        for word in term.words:
            whole = Term(word)
            probes.append(Probe(term, whole.to_tsquery(), word, prefix=False))
            if term.prefix:
                probes.append(Probe(term, term.to_tsquery(), word, prefix=True))
    return probes


def plan_of(
    query: Query, probes: Sequence[Probe], configurations: Sequence[ConfigurationPlan], visible: int
) -> Plan:
    """The way to the candidates and the parameters of the statement.

    `visible` is about how many documents the reader sees.
    """
    asked = [c for c in configurations if c.all_words]
    matches = sum(_matches(query, probes, c) for c in asked)
    way = "matched" if matches <= MATCHES_RANKED else "visible" if visible <= VISIBLE_ASKED else "newest"
    terms = [(c.config, *term) for c in asked for term in _weighted(probes, c)]
    parameters = {
        "configs": [c.config for c in asked],
        "all_words": [c.all_words for c in asked],
        "in_title": [c.in_title for c in asked],
        "any_terms": [_any_word(query, probes, c) for c in asked],
        "marked": query.marked(),
        "averages": [c.average_length or _USUAL_LENGTH for c in asked],
        "term_configs": [term[0] for term in terms],
        "term_queries": [term[1] for term in terms],
        "term_weights": [term[2] for term in terms],
        "needles": _needles(probes, asked),
    }
    return Plan(way, parameters, _unknown(probes, asked))


def _count(probes: Sequence[Probe], c: ConfigurationPlan, term: Term) -> int | None:
    """In how many documents the rarest word of a term stands; None where all of its words are stop words."""
    counts = [
        count
        for probe, count in zip(probes, c.counts, strict=True)
        if probe.term == term and probe.prefix == term.prefix and count is not None
    ]
    return min(counts, default=None)


def _matches(query: Query, probes: Sequence[Probe], c: ConfigurationPlan) -> int:
    """At most how many documents hold all that is wanted, as far as the lexeme table knows."""
    bounds = []
    for clause in query.clauses:
        counts = [_count(probes, c, term) for term in clause]
        if None not in counts:
            bounds.append(sum(count or 0 for count in counts))
    return min(bounds, default=c.documents)


def _weighted(probes: Sequence[Probe], c: ConfigurationPlan) -> Iterable[tuple[str, float]]:
    """Each word's query and its weight, the inverse document frequency of BM25."""
    known = {probe.word for probe, count in zip(probes, c.counts, strict=True) if not probe.prefix and count}
    unfinished = {probe.word for probe in probes if probe.prefix}
    for probe, asked, count in zip(probes, c.queries, c.counts, strict=True):
        if count is None or not asked:
            continue
        whole = max(c.documents, count, 1)
        idf = math.log(1 + (whole - count + 0.5) / (count + 0.5))
        share = 1.0
        if probe.word in known & unfinished:
            share = _PREFIX_SHARE if probe.prefix else _EXACT_SHARE
        yield asked, idf * share


def _any_word(query: Query, probes: Sequence[Probe], c: ConfigurationPlan) -> str:
    """The query for any of the words that are rare enough to mean something; empty where it adds none."""
    if len(query.clauses) < 2:
        return ""
    counted = [(term, _count(probes, c, term)) for term in query.terms]
    return query.any_word(
        [term for term, count in counted if count is not None and count <= ANY_WORD_DOCUMENTS]
    )


def _needles(probes: Sequence[Probe], asked: Sequence[ConfigurationPlan]) -> list[str]:
    """Starts of the words in lower case, rarest first: where a text is searched for its snippet."""
    rarity: dict[str, int] = {}
    for index, probe in enumerate(probes):
        counts = [c.counts[index] for c in asked if c.counts[index] is not None]
        if counts:
            rarity[probe.word.lower()] = sum(count or 0 for count in counts)
    words = sorted(rarity, key=lambda word: rarity[word])
    # Endings bend: a longer word is looked for without its last letters as well.
    return [needle for word in words for needle in dict.fromkeys([word, word[: max(5, len(word) - 3)]])]


def _unknown(probes: Sequence[Probe], asked: Sequence[ConfigurationPlan]) -> list[str]:
    """Words that no document holds, nor any that starts so, long enough to be mistyped."""
    found: dict[str, int] = {}
    for index, probe in enumerate(probes):
        if len(probe.word) > 4 and not probe.term.phrase:
            found[probe.word] = found.get(probe.word, 0) + sum(c.counts[index] or 0 for c in asked)
    return [word for word, count in found.items() if not count]
