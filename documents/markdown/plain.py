"""Markdown as text for searching: what a reader would read, without addresses, in linear time."""

from __future__ import annotations

import re

_DEFINITION = re.compile(r"^ {0,3}\[[^\[\]\n]{1,500}\]:[^\n]*$", re.MULTILINE)
_TARGET = re.compile(r"\]\([^()\s]{0,2000}(?:[ \t]+\"[^\"\n]{0,500}\")?\)")
_AUTOLINK = re.compile(r"<(?:https?|mailto|cs):[^<>\s]{0,2000}>")
_INLINE_MARKS = re.compile(r"!?\[|\]|`+|\*\*|~~")
_BLOCK_MARKS = re.compile(r"(?:^|(?<=\n))[ \t]{0,3}(?:#{1,6}|>|[-+*])[ \t]+|\|")


def searchable_text(text: str) -> str:
    """The text without link addresses and reference definitions, so that no word of an address is found."""
    return _AUTOLINK.sub(" ", _TARGET.sub("] ", _DEFINITION.sub("", text)))


def snippet_text(fragment: str) -> str:
    """A short fragment of Markdown without its marks, on one line."""
    prose = _INLINE_MARKS.sub("", _BLOCK_MARKS.sub(" ", _TARGET.sub("]", fragment)))
    return " ".join(prose.split())
