"""SUMMARY.md, the table of contents of an mdBook: which file stands below which, in which order.

The form is https://rust-lang.github.io/mdBook/format/summary.html: nested list items of one link each, with
chapters outside the list in front and behind; headings are part titles and carry no file.
"""

from __future__ import annotations

import dataclasses
import re

from documents.markdown.outline import inline_text, lines_outside_code

SUMMARY_NAME = "SUMMARY.md"

_ENTRY = re.compile(
    r"(?P<indent>[ \t]*)(?P<bullet>[-*+][ \t]+)?"
    r"\[(?P<text>(?:[^\[\]\\]|\\.|\[[^\[\]]*\])*)\]\((?P<target>[^()]*)\)[ \t]*$"
)


@dataclasses.dataclass(frozen=True, slots=True)
class SummaryEntry:
    """A chapter: how deep it stands (0 is the top), its link's text, its target (empty for a draft)."""

    depth: int
    title: str
    target: str


def summary_entries(text: str) -> list[SummaryEntry]:
    """The chapters of a SUMMARY.md from top to bottom; a depth is at most one more than the one before."""
    entries: list[SummaryEntry] = []
    indents: list[int] = []
    for _, line in lines_outside_code(text):
        match = _ENTRY.match(line[:4_000])
        if match is None:
            continue
        indent = len(match["indent"].expandtabs(4)) if match["bullet"] else -1
        while indents and indents[-1] >= indent:
            indents.pop()
        depth = len(indents)
        if match["bullet"]:
            indents.append(indent)
        entries.append(SummaryEntry(depth, inline_text(match["text"]), match["target"].strip().strip("<>")))
    return entries
