"""Where the headings of a Markdown text stand, found line by line. Pure.

For edits, which must know a heading's place in the text: `documents.markdown.outline` knows how they read.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator

from documents.markdown.outline import inline_text

# What a look costs is told in letters: so many a line, and more for one that headings are found by.
_COST_OF_A_LINE = 4
_COST_OF_A_MARK = 100
# To read a title without its signs takes longer than to find it.
_COST_OF_A_SIGNED_LETTER = 10
_LONGEST_FRONT_MATTER = 100_000
# So far it is looked back: a paragraph that is longer and underlined is no heading that anybody would name.
_MOST_LINES_BACK = 20
# What is indented further is code, or stands in a list.
_DEEPEST = 3

_LEVELLED = re.compile(r"(#{1,6})[ \t]+(.*)", re.DOTALL)
# YAML between two lines of dashes at the very start. A rule above a paragraph is none.
_FRONT_MATTER = re.compile(
    r"\ufeff?---[ \t\r]*\n(?=[\w\"'][^\n]*:)(?:[^\n]*\n)*?(?:---|\.\.\.)[ \t\r]*(?:\n|\Z)"
)
# The lines that headings are found by: fences, also as the first line of a list item, `# …` and underlines.
# Possessive, so that a line of bullets is read once.
_MARKED = re.compile(
    r"^(?:\A\ufeff)?(?P<items>(?: {0,3}(?:[-+*]|\d{1,9}[.)])[ \t]++)*+)(?P<indent> *)"
    r"(?:(?P<fence>`{3,}|~{3,})(?P<info>[^\n]*)"
    r"|(?P<hashes>#{1,6})(?![^ \t\n])(?P<title>[^\n]*)"
    r"|(?P<underline>=+|-+)[ \t]*$)",
    re.MULTILINE,
)
_SIGNS = re.compile(r"[\\`*_~\[<]")
_CLOSING_HASHES = re.compile(r"(?:^|[ \t])#+[ \t]*$")
# What stands above a paragraph without a part in it, and what the paragraph is itself a part of.
_RULE = re.compile(r" {0,3}([-*_])(?:[ \t]*\1){2,}[ \t]*$")
_CONTAINER = re.compile(r" {0,3}(?:>|[-+*][ \t]|\d{1,9}[.)][ \t])")
_CODE = re.compile(r" {0,3}\t| {4}")
_ITEM = re.compile(r" {0,3}(?:[-+*]|\d{1,9}[.)])(?:[ \t]|$)")


@dataclasses.dataclass(frozen=True, slots=True)
class Heading:
    """A heading of the text: its title as it is written, and where its last line ends."""

    level: int
    title: str
    end: int

    @property
    def is_signed(self) -> bool:
        """Whether its title may read otherwise than it is written."""
        return _SIGNS.search(self.title) is not None


class HeadingName:
    """What a client calls a heading: as it is written or as it reads, with its level (`## …`) or without."""

    def __init__(self, name: str) -> None:
        levelled = _LEVELLED.fullmatch(name)
        self._level = len(levelled[1]) if levelled else None
        title = _CLOSING_HASHES.sub("", levelled[2]) if levelled else name
        self._titles = {" ".join(title.split()), inline_text(title)}

    def is_of(self, heading: Heading) -> bool:
        """Whether the heading is called so."""
        if self._level not in {None, heading.level}:
            return False
        if " ".join(heading.title.split()) in self._titles:
            return True
        return heading.is_signed and inline_text(heading.title) in self._titles


def front_matter_end(text: str) -> int:
    """Where front matter ends, 0 where the text has none."""
    found = _FRONT_MATTER.match(text, 0, _LONGEST_FRONT_MATTER)
    return found.end() if found else 0


def headings_in(text: str, spend: Callable[[int], None]) -> Iterator[Heading]:
    """All headings outside of code, quotes, lists and front matter (CommonMark 0.31, 4.2 and 4.3).

    `spend` is told what the look costs, in letters, before it is made, and may raise.
    """
    for heading in _found(text, spend):
        if heading.is_signed:
            spend(len(heading.title) * _COST_OF_A_SIGNED_LETTER)
        yield heading


def _found(text: str, spend: Callable[[int], None]) -> Iterator[Heading]:
    # The same lines in the same places, each ended by a line feed.
    lines = text.replace("\r\n", " \n").replace("\r", "\n")
    spend(len(text) + lines.count("\n") * _COST_OF_A_LINE)
    code, barrier = _Code(lines), front_matter_end(text)
    for marked in _MARKED.finditer(lines, barrier):
        spend(_COST_OF_A_MARK)
        end = lines.find("\n", marked.end()) + 1 or len(lines)
        line = _Marked(marked)
        if code.takes(line):
            barrier = end
        elif line.is_no_heading or _is_in_item(lines, marked.start(), line.indent):
            continue
        elif marked["hashes"]:
            barrier = end
            yield Heading(len(marked["hashes"]), _CLOSING_HASHES.sub("", marked["title"]), end)
        elif title := _underlined(lines, barrier, marked.start()):
            barrier = end
            yield Heading(1 if marked["underline"][0] == "=" else 2, title, end)


class _Marked:
    """A line by which headings are found: where it begins, and how far markers of list items set it in."""

    def __init__(self, found: re.Match[str]) -> None:
        self.found = found
        self.indent, self.items = len(found["indent"]), len(found["items"])
        self.column = self.items - len(found["items"].lstrip(" ")) if self.items else self.indent

    @property
    def is_no_heading(self) -> bool:
        """Whether, for how it looks alone, it can't be one nor its underline."""
        return self.indent > _DEEPEST or self.items > 0 or self.found["fence"] is not None


class _Code:
    """Which lines are fenced code."""

    def __init__(self, lines: str) -> None:
        self._lines = lines
        # The fence that has opened it, and how far its list item, if any, is set in.
        self._fence, self._item = "", 0

    def takes(self, line: _Marked) -> bool:
        """Whether the line is in code, opens or closes it."""
        if self._fence and line.column < self._item:
            # With its list item a fence ends, too.
            self._fence = ""
        if not self._fence:
            return self._is_opened_by(line)
        found = line.found
        closes = (found["fence"] or "").startswith(self._fence) and not found["info"].strip()
        if closes and not line.items and line.indent <= self._item + _DEEPEST:
            self._fence = ""
        return True

    def _is_opened_by(self, line: _Marked) -> bool:
        """Not by backticks with others behind them, which are code within a line.

        What stands deep in a list is no concern: its lines are set in too far to be headings.
        """
        fence = line.found["fence"]
        if not fence or line.indent > _DEEPEST or line.items > _DEEPEST:
            return False
        if fence[0] == "`" and "`" in line.found["info"]:
            return False
        inside = _is_in_item(self._lines, line.found.start(), line.indent)
        self._fence, self._item = fence, line.items or (line.indent if inside else 0)
        return True


def _is_in_item(lines: str, end: int, indent: int) -> bool:
    """Whether a line at `end` that is set in so far is part of a list item above."""
    for _ in range(_MOST_LINES_BACK if indent else 0):
        start = lines.rfind("\n", 0, max(end - 1, 0)) + 1
        line = lines[start : max(end - 1, 0)]
        if len(line) - len(line.lstrip(" ")) < indent and line.strip():
            item = _ITEM.match(line)
            return item is not None and item.end() <= indent
        end = start
    return False


def _underlined(lines: str, barrier: int, end: int) -> str:
    """The paragraph that ends at `end` and begins at `barrier` or after, empty where there is none."""
    found: list[str] = []
    while end > barrier and len(found) < _MOST_LINES_BACK:
        start = max(lines.rfind("\n", barrier, end - 1) + 1, barrier)
        line = lines[start : end - 1]
        if not line.strip() or _RULE.match(line):
            break
        if _CONTAINER.match(line):
            # The paragraph goes on with that one, and what looks like its underline is a rule.
            return ""
        found.append(line)
        end = start
    while found and _CODE.match(found[-1]):
        found.pop()
    return " ".join(reversed(found))
