"""What was found, marked in what is shown of it. Pure: without queries.

A word that stands in a text as it was typed needs no stemmer to be recognised, and most do; for the other
forms of a word there is PostgreSQL's headline.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Sequence

from documents.markdown import snippet_words
from documents.search.query import Query

START, STOP = "\x01", "\x02"
# Letters of a window, and how many of them stand before the first word found.
WINDOW, WINDOW_BEFORE = 260, 60
_WORDS_SHOWN = 40
# Expressions that find something in every text and in none.
_ALWAYS, _NEVER = "", "(?!a)a"


def short_form(word: str) -> str:
    """A longer word without its last letters: endings bend."""
    return word[: max(5, len(word) - 3)]


def open_ended(query: Query) -> frozenset[str]:
    """The words that may go on, in small letters."""
    return frozenset(term.text.lower() for term in query.terms if term.prefix)


def doubtful_forms(query: Query, words: Iterable[str]) -> str:
    """An expression of PostgreSQL, for any case, that finds what may be another form of one of `words`.

    It finds something in every text where a phrase is looked for or what isn't letters and digits alone.
    """
    if any(term.phrase for term in query.terms):
        return _ALWAYS
    endless, forms = open_ended(query), []
    for word in words:
        if not word.isalnum():
            return _ALWAYS
        start = short_form(word)
        if word not in endless:
            forms.append(rf"{start}(?!{word[len(start) :]}\M)")
        elif start != word:
            forms.append(f"{start}(?!{word[len(start) :]})")
    return rf"\m(?:{'|'.join(forms)})" if forms else _NEVER


def window_marked(window: str, words: Iterable[str], endless: frozenset[str], *, begun: bool) -> str:
    """A window with each of `words` marked where it stands: about 40 words of it, on one line.

    `begun` where it starts within the text, maybe within a word. Those in `endless` may go on.
    """
    shown = snippet_words(window.replace(START, "").replace(STOP, ""))
    if begun and len(shown) > 1:
        del shown[0]
    if len(window) == WINDOW and len(shown) > 1:
        del shown[-1]
    text = " ".join(shown[:_WORDS_SHOWN])
    small = text.lower()
    spans: list[tuple[int, int]] = []
    for word in words:
        spans += _spans(small if len(small) == len(text) else text, word, endless=word in endless)
    parts, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            parts += [text[end:start], START, text[start:stop], STOP]
            end = stop
    return "".join([*parts, text[end:]])


def _spans(small: str, word: str, *, endless: bool) -> list[tuple[int, int]]:
    """Where the word stands by itself, or begins another one where it may go on."""
    spans, start, size = [], small.find(word), len(small)
    while start >= 0:
        stop = start + len(word)
        while endless and stop < size and small[stop].isalnum():
            stop += 1
        if (not start or not small[start - 1].isalnum()) and (stop == size or not small[stop].isalnum()):
            spans.append((start, stop))
        start = small.find(word, stop)
    return spans


def as_html(text: str, spaceless: Sequence[str]) -> str:
    """The text as HTML in which marks are the only tags; stray ones were taken out before.

    PostgreSQL takes a run without spaces for one word, so what was looked for in it is marked here.
    """
    if spaceless and START not in text:
        for part in spaceless:
            text = text.replace(part, f"{START}{part}{STOP}")
    return html.escape(text).replace(START, "<mark>").replace(STOP, "</mark>")


def marks_in(shown: str) -> list[str]:
    """What is marked in HTML that `as_html` made."""
    return [html.unescape(part.partition("</mark>")[0]) for part in shown.split("<mark>")[1:]]
