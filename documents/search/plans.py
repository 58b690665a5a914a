"""Which way a search goes, by how rare its words are and how much the reader sees. Pure: without queries."""

from __future__ import annotations

import dataclasses
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

from documents.search.arrays import text_array
from documents.search.languages import spaceless_parts
from documents.search.marking import doubtful_forms, open_ended, short_form
from documents.search.query import Query, Term
from documents.search.ranking import Weighing

# Up to so many matches or visible documents all are looked at; beyond both only the newest are.
MATCHES_RANKED = 5_000
VISIBLE_ASKED = 10_000
WINDOW_WALKED = 20_000
# More visible documents are asked only where a walk over the newest would pass by far more that aren't; of
# those that a walk finds so many are looked at where something narrows a search.
VISIBLE_AT_MOST, WINDOW_NARROWED = 50_000, 100_000
# Up to so many hits of the newest.
CANDIDATES = 500
# Titles that match, where more is visible: up to so many are judged at once; of up to so many the best are
# found, at first among so many times as many of the newest documents; of more so many hits among the newest.
TITLES_LISTED, TITLES_JUDGED, TITLES_WALKED, TITLES_SHOWN = 500, 15_000, 8, 200
# A match costs next to nothing in the text index, so more of them can be met with what is visible; but its
# row is looked up, in a table that is in memory with so many documents and isn't with more.
_MATCHES_MET = 100_000
_IN_MEMORY = 50_000
# A word in more documents than this says nothing on its own.
ANY_WORD_DOCUMENTS = 20_000
# Words per document where no statistic has been made yet.
_USUAL_LENGTH = 300.0
# An unfinished word counts for what it is first, for what it may become second.
# A phrase in a query as PostgreSQL writes it: operands at a distance.
_PHRASE = re.compile(r" <(?:-|\d+)> ")
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
    marked: str
    documents: int
    average_length: float
    queries: Sequence[str]
    counts: Sequence[int | None]


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """How a query is answered: by which way of up to how many `matches`, and what the statements bind.

    `sifted` where the words are looked for first, by `sieves`, and who holds them is asked for the whole.
    `kept` where what matches brings its vectors along for the ranking, and isn't looked up again.

    Arrays of texts stand as lists there, in `bound` as they are sent.

    `weighing` is by configuration what the ranking makes of the numbers that the statement brings, `terms`
    the number of words in each, `clauses` how many are wanted. `words` are looked for in what is shown, those
    in `endless` may go on; where the expression `doubtful` finds something there may be other forms of them.
    """

    way: str
    sifted: bool
    kept: bool
    matches: int
    parameters: dict[str, list[Any]]
    bound: dict[str, str]
    weighing: dict[str, Weighing]
    terms: int
    clauses: int
    words: list[str]
    doubtful: str
    endless: frozenset[str]
    unknown_words: list[str]
    spaceless: list[str]


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
    query: Query,
    probes: Sequence[Probe],
    configurations: Sequence[ConfigurationPlan],
    visible: int,
    roots: int,
) -> Plan:
    """The way to the candidates and the parameters of the statement.

    `visible` is about how many documents the reader sees, `roots` how many are granted one by one.
    """
    asked = [c for c in configurations if c.all_words]
    matches = sum(_matches(query, probes, c) for c in asked)
    weighed = [list(_weighted(query, probes, c)) for c in asked]
    words = _words(probes, asked)
    parameters = _parameters(query, probes, asked, weighed)
    parameters["needles"] = _needles(words, probes)
    documents = sum(c.documents for c in asked)
    way, phrase = way_to(matches, visible, roots, documents), parameters["sieves"] != parameters["all_words"]
    sifted = sifts(way, matches, documents, phrase=phrase)
    return Plan(
        way=way,
        sifted=sifted,
        # Each is looked up by itself then: dearer than by a list where two of three are hidden.
        kept=not sifted and (way == "both" or (way == "matched" and visible * 3 >= documents)),
        matches=matches,
        parameters=parameters,
        bound={name: text_array(values) for name, values in parameters.items()},
        weighing={c.config: _weighing(c, group) for c, group in zip(asked, weighed, strict=True)},
        terms=max(map(len, weighed), default=0),
        clauses=len(query.clauses),
        words=words,
        doubtful=doubtful_forms(query, words),
        endless=open_ended(query),
        unknown_words=_unknown(probes, asked),
        spaceless=_spaceless(probes),
    )


def _weighing(c: ConfigurationPlan, weighed: Sequence[tuple[str, float, int]]) -> Weighing:
    return Weighing(c.average_length or _USUAL_LENGTH, [term[1:] for term in weighed])


def _parameters(
    query: Query,
    probes: Sequence[Probe],
    asked: Sequence[ConfigurationPlan],
    weighed: Sequence[Sequence[tuple[str, float, int]]],
) -> dict[str, list[Any]]:
    """The arrays of the statement, an entry for each configuration; `terms` has a row for each."""
    size = max(map(len, weighed), default=0)
    return {
        "configs": [c.config for c in asked],
        "all_words": [c.all_words for c in asked],
        # What is excluded as a phrase isn't by its words.
        "sieves": [c.all_words if query.excluded else _PHRASE.sub(" & ", c.all_words) for c in asked],
        "marked": [c.marked for c in asked],
        "any_terms": [_any_word(query, probes, c) for c in asked],
        "terms": [term for group in weighed for term in _padded(group, size)],
    }


def _padded(weighed: Sequence[tuple[str, float, int]], size: int) -> list[str | None]:
    """The queries of the words, filled up to `size`: arrays of two dimensions have rows of one length."""
    return [*(asked for asked, _, _ in weighed), *[None] * (size - len(weighed))]


def way_to(matches: int, visible: int, roots: int, documents: int) -> str:
    """The cheapest way to all candidates; `newest`, to some, where there are too many of both.

    Costs in microseconds as measured: to look a match up by the text index 0.6, of very many `documents` 4,
    to ask whether it is visible 4, to list what is visible 50, 0.6 for each document and 0.2 for each root,
    to ask a visible document for its words 7. On the way to the newest each document that is passed by takes
    3, each that is asked 25.
    """
    steps = min(WINDOW_WALKED, CANDIDATES * documents / max(matches, 1))
    met, listed = matches * _met(documents), 50.0 + roots * 0.2 + visible * 0.6
    costs = {}
    if matches <= MATCHES_RANKED:
        costs["matched"] = met + matches * 4.0
    if visible <= VISIBLE_AT_MOST and matches <= _MATCHES_MET:
        costs["both"] = met + listed
    if visible <= VISIBLE_AT_MOST:
        costs["visible"] = listed + visible * 7.0
    if visible > VISIBLE_ASKED and matches > MATCHES_RANKED:
        costs["newest"] = steps * (documents / visible * 3.0 + 25.0)
    return min(costs, key=lambda way: costs[way])


def sifts(way: str, matches: int, documents: int, *, phrase: bool) -> bool:
    """Whether it is cheaper to look for the words first and to ask then for the whole.

    The index says who holds the words without a look at what they hold, a phrase it can't. Of the newest each
    is asked where words are common, and enough soon found; else the list of those who hold them is met with
    the walk. To ask takes 25 microseconds.
    """
    if way != "newest":
        return phrase
    share = matches / max(documents, matches, 1)
    steps = WINDOW_WALKED if phrase else min(WINDOW_WALKED, CANDIDATES / max(share, 1e-9))
    return matches * _met(documents) + steps * share * 25 < steps * 25


def _met(documents: int) -> float:
    return 0.6 if documents <= _IN_MEMORY else 4.0


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


def _weighted(
    query: Query, probes: Sequence[Probe], c: ConfigurationPlan
) -> Iterable[tuple[str, float, int]]:
    """Each word's query, its weight (the inverse document frequency of BM25) and the clause it belongs to."""
    clause_of = {term: number for number, clause in enumerate(query.clauses) for term in clause}
    counted = list(zip(probes, c.queries, c.counts, strict=True))
    whole = {probe.word: count for probe, _, count in counted if not probe.prefix}
    starting = {probe.word: count for probe, _, count in counted if probe.prefix}
    for probe, asked, count in counted:
        if count is None or not asked:
            continue
        share = 1.0
        if probe.word in starting and whole[probe.word]:
            # Where no other word starts so, both are one.
            alone = whole[probe.word] == starting[probe.word]
            share = (0.0, 1.0)[alone] if probe.prefix else 1.0 - alone
            share = share if alone else _PREFIX_SHARE if probe.prefix else _EXACT_SHARE
        if share:
            corpus = max(c.documents, count, 1)
            idf = math.log(1 + (corpus - count + 0.5) / (count + 0.5))
            yield asked, idf * share, clause_of[probe.term]


def _any_word(query: Query, probes: Sequence[Probe], c: ConfigurationPlan) -> str:
    """The query for any of the words that are rare enough to mean something; empty where it adds none."""
    if len(query.clauses) < 2:
        return ""
    counted = [(term, _count(probes, c, term)) for term in query.terms]
    return query.any_word(
        [term for term, count in counted if count is not None and count <= ANY_WORD_DOCUMENTS]
    )


def _words(probes: Sequence[Probe], asked: Sequence[ConfigurationPlan]) -> list[str]:
    """The words that mean something in some configuration, in small letters, rarest first."""
    rarity: dict[str, int] = {}
    for index, probe in enumerate(probes):
        counts = [c.counts[index] for c in asked if c.counts[index] is not None]
        if counts:
            rarity[probe.word.lower()] = sum(count or 0 for count in counts)
    return sorted(rarity, key=lambda word: rarity[word])


def _needles(words: Sequence[str], probes: Sequence[Probe]) -> list[str]:
    """The words as they may be written: where a text is searched for its snippet."""
    typed = {probe.word.lower(): probe.word for probe in probes}
    forms = [form for word in words for form in (typed[word], short_form(typed[word]))]
    return list(
        dict.fromkeys(written for form in forms for written in (form.lower(), form.capitalize(), form))
    )


def _spaceless(probes: Sequence[Probe]) -> list[str]:
    """The runs of letters without spaces that are looked for, longest first and none inside another."""
    runs = {part for probe in probes for part, spaceless in spaceless_parts(probe.word) if spaceless}
    return [
        run for run in sorted(runs, key=len, reverse=True) if not any(run in other for other in runs - {run})
    ]


def _unknown(probes: Sequence[Probe], asked: Sequence[ConfigurationPlan]) -> list[str]:
    """Words that no document holds, nor any that starts so, long enough to be mistyped."""
    found: dict[str, int] = {}
    for index, probe in enumerate(probes):
        if len(probe.word) > 4 and not probe.term.phrase:
            found[probe.word] = found.get(probe.word, 0) + sum(c.counts[index] or 0 for c in asked)
    return [word for word, count in found.items() if not count]
