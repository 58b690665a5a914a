"""What is marked in snippets, and when PostgreSQL is asked for it."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from documents.search.marking import (
    WINDOW,
    as_html,
    doubtful_forms,
    marks_in,
    open_ended,
    window_marked,
)
from documents.search.query import parse_query


def doubtful(typed: str, text: str) -> bool:
    """Whether the server is asked for the headline of a text: its expression in Python's words."""
    query = parse_query(typed)
    words = [word.lower() for term in query.terms for word in term.words]
    expression = doubtful_forms(query, words).replace(r"\M", r"(?!\w)").replace(r"\m", r"(?<!\w)")
    return re.search(expression, text, re.IGNORECASE) is not None


@pytest.mark.parametrize(
    ("typed", "text", "asked"),
    [
        ("harbour", "the harbour and harbours", False),
        ("harbour", "harboring", True),
        ("harbour wall", "harbours", True),
        ("harbour wall", "the harbour and walls", False),
        ("wall harbour", "the walls", True),
        ('"the wall"', "the wall", True),
        ("it's", "it's", True),
        ("wa", "water", False),
    ],
)
def test_headline_is_asked_for_where_other_forms_may_stand(typed: str, text: str, asked: bool) -> None:
    """Words as they were typed are recognised without a stemmer; an unfinished one in whatever it becomes."""
    assert doubtful(typed, text) is asked


def marked(typed: str, window: str, *, begun: bool = False) -> str:
    """The window with its marks as brackets."""
    query = parse_query(typed)
    words = [word.lower() for term in query.terms for word in term.words]
    return (
        window_marked(window, words, open_ended(query), begun=begun).replace("\x01", "<").replace("\x02", ">")
    )


@pytest.mark.parametrize(
    ("typed", "window", "shown"),
    [
        ("wall harbour", "The Harbours, a wall.", "The <Harbours>, a <wall>."),
        ("harbour wall", "harbours the harbour", "harbours the <harbour>"),
        ("tea team", "tea for a team", "<tea> for a <team>"),
        ("wall", "a firewall", "a firewall"),
        ("wall", "İ wall", "İ <wall>"),
        ("wall", "## A\x01 wall\n\n- **two** [walls](x)", "A <wall> two <walls>"),
    ],
)
def test_window_shows_words_marked_without_the_marks_of_markdown(typed: str, window: str, shown: str) -> None:
    """Whole words in any case, an unfinished one to its end, whatever stood there as a mark taken out."""
    assert marked(typed, window) == shown


def test_window_that_was_cut_shows_no_part_of_a_word() -> None:
    """One that begins or ends within the text may do so within a word."""
    window = ("cut " + "x" * 57 + " wall " + "some words " * 30)[:WINDOW]
    assert marked("wall", window, begun=True).startswith("x" * 57 + " <wall> some words")
    assert marked("wall", window).startswith("cut ")
    assert marked("wall", window).endswith("words some")
    assert len(marked("wall", "x" * WINDOW, begun=True)) == WINDOW
    assert len(marked("wall", ("wall " + "a " * 200)[:WINDOW]).split()) == 40


@given(st.text(max_size=WINDOW), st.text(min_size=1, max_size=8))
def test_window_of_anything_is_html_with_marks_alone(window: str, typed: str) -> None:
    """Nothing that is written makes a tag, and what is marked are words that were looked for."""
    query = parse_query(typed)
    words = [word.lower() for term in query.terms for word in term.words]
    assume(all(word.isalnum() for word in words))
    shown = as_html(window_marked(window, words, open_ended(query), begun=True), [])
    assert shown.count("<") == shown.count("</mark>") * 2 == shown.count("<mark>") * 2
    assert all(any(word.lower().startswith(known) for known in words) for word in marks_in(shown))
