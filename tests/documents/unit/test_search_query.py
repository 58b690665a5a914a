"""What people type, as queries; and which way a search goes."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.search.languages import CONFIGURATIONS, configuration_for, spaced
from documents.search.plans import ConfigurationPlan, Plan, plan_of, probes_of, sifts, way_to
from documents.search.query import MAX_TERMS, parse_query


@pytest.mark.parametrize(
    ("typed", "wanted"),
    [
        ("ownership", "'ownership':*"),
        ("move semantics", "'move' & 'semantics':*"),
        ('"borrow checker"', "'borrow checker'"),
        ('"borrow checker" rust', "'borrow checker' & 'rust':*"),
        ("box OR rc pointer", "('box' | 'rc') & 'pointer':*"),
        ("trait -object", "('trait') & !'object'"),
        ('trait -"trait object" x', "('trait' & 'x') & !'trait object'"),
        ("it's", "'it''s':*"),
        ("back\\slash", "'back\\\\slash':*"),
        ("x", "'x'"),
        ('open "phrase', "'open' & 'phrase'"),
        ("OR a OR", "'a'"),
        ("所有権", "('所有 有権')"),
        ("所", "('所':*)"),
        ("Rust所有", "('Rust' & '所有')"),
        ('"所有権 rust"', "'所有 有権 権 rust'"),
        ("-only", ""),
        ("- ! & |", ""),
        ("", ""),
    ],
)
def test_query_is_read_as_typed(typed: str, wanted: str) -> None:
    """Words are all wanted, OR joins two, quotes make phrases, minus excludes, the last word may go on."""
    assert parse_query(typed).all_words() == wanted


def test_query_takes_so_many_terms() -> None:
    """A text of any length is a query of bounded size."""
    assert len(parse_query("a " * 10_000).clauses) == MAX_TERMS


def test_query_of_titles_has_unfinished_words() -> None:
    """Whoever types a title may leave each word unfinished, but for letters and phrases."""
    assert parse_query('"a b" c lett OR note -x 所有 fr').beginnings() == (
        "'a b' & 'c' & ('lett':* | 'note':*) & ('所有') & 'fr':*"
    )


def test_query_with_a_word_mended_reads_as_typed() -> None:
    """A correction exchanges the word wherever it stands and keeps the rest."""
    assert str(parse_query('onwership OR rc "an onwership" -x').replaced("onwership", "ownership")) == (
        'ownership OR rc "an ownership" -x'
    )


@given(st.text(max_size=200))
def test_query_of_anything_is_a_query(typed: str) -> None:
    """Nothing that can be typed is an error, and operands are always quoted."""
    query = parse_query(typed)
    assert query.all_words().count("'") % 2 == 0
    assert bool(query.all_words()) == bool(query.clauses)


@pytest.mark.parametrize(
    ("language", "configuration"),
    [
        ("en", "cs_english"),
        ("en-GB", "cs_english"),
        ("DE", "cs_german"),
        ("zh-Hans", "cs_simple"),
        ("", "cs_simple"),
    ],
)
def test_configuration_follows_the_language(language: str, configuration: str) -> None:
    """The first part of the language tag decides; languages without a stemmer get the simple one."""
    assert configuration_for(language) == configuration
    assert configuration in CONFIGURATIONS


def test_spaceless_text_becomes_pairs() -> None:
    """Runs of scripts without spaces are cut into overlapping pairs; the rest stays."""
    assert spaced("Rust所有権 ok").split() == ["Rust", "所有", "有権", "権", "ok"]


def planned(typed: str, *counts: int | None, visible: int = 100_000) -> Plan:
    """The plan where the words are known to stand in so many documents."""
    query = parse_query(typed)
    probes = probes_of(query)
    known = ConfigurationPlan(
        config="cs_english",
        all_words=query.all_words(),
        marked=query.marked(),
        documents=1_000_000,
        average_length=300.0,
        queries=[p.query for p in probes],
        counts=counts,
    )
    return plan_of(query, probes, [known], visible, roots=10)


def test_plan_for_a_rare_word_looks_at_all_matches() -> None:
    """The rarest word bounds the matches, however common the others are."""
    assert planned('"common" "rare"', 300_000, 40).way == "matched"


def test_plan_for_common_words_looks_at_what_is_visible() -> None:
    """A reader of few documents has each of them asked; no more matches are met than there are in reach."""
    assert planned('"common"', 300_000, visible=9_000).way == "visible"


def test_plan_for_common_words_and_much_to_see_looks_at_the_newest() -> None:
    """Ranking hundreds of thousands of matches is never done in a request."""
    assert planned('"common"', 300_000).way == "newest"


@pytest.mark.parametrize(("visible", "kept"), [(100_000, False), (400_000, True)])
def test_vectors_are_kept_where_most_of_them_is_ranked(visible: int, kept: bool) -> None:
    """Of what the reader doesn't see they would be copied in vain."""
    plan = planned('"canary"', 400, visible=visible)
    assert (plan.way, plan.kept) == ("matched", kept)


@pytest.mark.parametrize(
    ("matches", "visible", "roots", "way"),
    [
        (10, 50_000, 1, "matched"),
        (100, 800, 800, "matched"),
        (1_000, 800, 800, "both"),
        (4_000, 800, 800, "both"),
        (9_000, 800, 800, "both"),
        (90_000, 800, 1, "visible"),
        (90_000, 90_000, 1, "newest"),
    ],
)
def test_way_is_the_cheapest_one(matches: int, visible: int, roots: int, way: str) -> None:
    """Costs are compared as measured; where there are too many of both only the newest are looked at."""
    assert way_to(matches, visible, roots, 20_000) == way


def test_way_in_a_large_world_shuns_the_rows_of_matches() -> None:
    """They are read from disk there."""
    assert way_to(25_000, 4_500, 20, 20_000) == "both"
    assert way_to(25_000, 4_500, 20, 100_000) == "visible"


def test_way_of_a_reader_of_a_small_part_passes_nobody_else_by() -> None:
    """Among a million the newest that somebody sees of 30,000 are far apart; of 300,000 they are near."""
    assert way_to(20_000, 30_000, 0, 1_000_000) == "both"
    assert way_to(120_000, 30_000, 0, 1_000_000) == "visible"
    assert way_to(120_000, 300_000, 0, 1_000_000) == "newest"
    assert way_to(600_000, 30_000, 0, 1_000_000) == "newest"


@pytest.mark.parametrize(
    ("way", "matches", "phrase", "sifted"),
    [
        ("matched", 4_000, False, False),
        ("matched", 4_000, True, True),
        ("both", 90_000, True, True),
        ("newest", 10_000, False, True),
        ("newest", 10_000, True, True),
        ("newest", 300_000, False, False),
        ("newest", 300_000, True, False),
    ],
)
def test_words_first_where_asking_is_dearer(way: str, matches: int, phrase: bool, sifted: bool) -> None:
    """A phrase can't be read off the index; of common words the newest are soon found."""
    assert sifts(way, matches, 1_000_000, phrase=phrase) is sifted


def test_sieve_of_a_phrase_are_its_words() -> None:
    """Whatever the distance; what is excluded as a phrase isn't by its words."""
    known = ConfigurationPlan("c", "'a' <-> 'b' & 'c' <2> 'd'", "", 10, 1.0, [], [])
    plan = plan_of(parse_query('"a b" "c d"'), [], [known], 0, 0)
    assert (plan.sifted, plan.parameters["sieves"]) == (True, ["'a' & 'b' & 'c' & 'd'"])
    known = dataclasses.replace(known, all_words="'a' & !( 'b' <-> 'c' )")
    plan = plan_of(parse_query('a -"b c"'), [], [known], 0, 0)
    assert (plan.sifted, plan.parameters["sieves"]) == (False, [known.all_words])


def test_plan_counts_alternatives_together() -> None:
    """Either of two words may match, so their numbers add up."""
    assert planned('"a" OR "b"', 4_000, 4_000).way == "newest"


def test_plan_weighs_rare_words_higher() -> None:
    """The inverse document frequency: a word in few documents says more."""
    common, rare = planned('"common" "rare"', 300_000, 40).weighing["cs_english"].terms
    assert rare[0] > common[0] > 0


def test_plan_falls_back_to_words_that_mean_something() -> None:
    """A word in most documents and a stop word are no reason to show a document."""
    plan = planned('"common" "rare" "the"', 300_000, 40, None)
    assert plan.parameters["any_terms"] == ["'rare'"]


def test_plan_knows_which_words_may_be_mistyped() -> None:
    """Words of five letters and more that no document holds, phrases apart."""
    assert planned('onwership abcd trait "zzzzz"', 0, 0, 9, 0).unknown_words == ["onwership"]


def test_plan_without_any_configuration_asks_for_nothing() -> None:
    """A query of nothing but what no configuration knows has no candidates."""
    query = parse_query("x")
    assert plan_of(query, probes_of(query), [], 0, 0).parameters["configs"] == []
