"""Markdown as text for searching: what a reader would read, without addresses, in linear time."""

from __future__ import annotations

import re

_DEFINITION = re.compile(r"^ {0,3}\[[^\[\]\n]{1,500}\]:[^\n]*$", re.MULTILINE)
_TARGET = re.compile(r"\]\([^()\s]{0,2000}(?:[ \t]+\"[^\"\n]{0,500}\")?\)")
_AUTOLINK = re.compile(r"<(?:https?|mailto|cs):[^<>\s]{0,2000}>")
_INLINE_MARKS = ("![", "[", "]", "`", "**", "~~")
_BLOCK_STARTS = frozenset(" \t#>-+*")
_BLOCK_MARK = re.compile(r"[ \t]{0,3}(?:#{1,6}|>|[-+*])[ \t]+")


def searchable_text(text: str) -> str:
    """The text without link addresses and reference definitions, so that no word of an address is found."""
    return _AUTOLINK.sub(" ", _TARGET.sub("] ", _DEFINITION.sub("", text)))


def snippet_text(fragment: str) -> str:
    """A short fragment of Markdown without its marks, on one line."""
    return " ".join(snippet_words(fragment))


def snippet_words(fragment: str) -> list[str]:
    """What `snippet_text` shows, cut at its spaces."""
    if "](" in fragment:
        fragment = _TARGET.sub("]", fragment)
    lines = [_unmarked(line) if line[:1] in _BLOCK_STARTS else line for line in fragment.split("\n")]
    prose = " ".join(lines).replace("|", " ")
    # An expression that looks for all of them takes ten times as long as one look for each.
    for mark in _INLINE_MARKS:
        prose = prose.replace(mark, "")
    return prose.split()


def _unmarked(line: str) -> str:
    mark = _BLOCK_MARK.match(line)
    return line[mark.end() :] if mark else line
