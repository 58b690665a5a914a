"""The check that a merge by lines left the Markdown as both sides meant it.

Every line of the result must be the same kind of thing (inside a fence, in a table of so many columns, in a
list within a quote, front matter) as in the text that it comes from. Lines that merge cleanly can still break
that: a fence lost on one side swallows what the other wrote below it.
"""

from __future__ import annotations

import bisect
import enum
import re
import zlib
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

from documents.merge.fences import FENCE, FENCE_BEGINS, fence_after
from documents.merge.segments import Lines, Outcome, Segment, Texts
from documents.merge.words import Origin

Kind = tuple[str, ...]

# Within this budget the check ends in half a second: a line costs up to 0.04 ms, a deeply nested one, which
# counts for many, up to 0.3.
_MAX_LINES = 12_000
_NESTING = re.compile(r"[\s>*+.)\d-]*")
_FREE_NESTING = 8
_MAX_CHARACTERS = 1_000_000
_MAX_NESTING = 20

_CONTAINERS = frozenset({"blockquote", "bullet_list", "footnote_reference", "ordered_list", "list_item"})
_LEAVES = frozenset(
    {"code_block", "fence", "front_matter", "heading_open", "hr", "html_block", "paragraph_open"}
)
_PROSE = frozenset({"heading", "paragraph"})
_HEADING = re.compile(r"#{1,6}(?:\s|$)")
_FRONT_MATTER = "---"
_CUT_EVERY = 64


class Verdict(enum.Enum):
    """What the check found."""

    BROKEN = "broken"
    INTACT = "intact"
    TOO_LARGE = "too_large"


class _TooLarge(Exception):
    """The budget is used up."""


class Outlines:
    """What the lines of three texts are, for all tries to merge them, within one budget."""

    def __init__(self, texts: Texts) -> None:
        self.texts = texts
        self.budget = _Budget()
        self.base, self.yours, self.current = (
            _Outline(lines, self.budget) for lines in (texts.base, texts.yours, texts.current)
        )

    def is_prose(self, segment: Segment) -> bool:
        """Whether all lines of a segment are sentences, in all three texts, and no code or markup."""
        sides = (
            (self.base, segment.base),
            (self.yours, segment.yours),
            (self.current, segment.current),
        )
        try:
            return all(
                _is_prose(outline.kind(line))
                for outline, lines in sides
                for line in range(lines.start, lines.stop)
                if outline.lines[line].strip()
            )
        except _TooLarge:
            return False


def _is_prose(kind: Kind) -> bool:
    return bool(kind) and (kind[-1] in _PROSE or "table" in kind)


def broken(outlines: Outlines, segments: Sequence[Segment]) -> tuple[Verdict, frozenset[int]]:
    """Whether the result of `segments` keeps its structure, and the indexes of those to blame if not."""
    changed = [index for index, segment in enumerate(segments) if segment.outcome is not Outcome.SHARED]
    try:
        blamed = frozenset(_Check(outlines, segments).blamed())
    except _TooLarge:
        return Verdict.TOO_LARGE, frozenset(changed)
    return (Verdict.BROKEN, blamed) if blamed else (Verdict.INTACT, blamed)


class _Budget:
    def __init__(self) -> None:
        self.lines = _MAX_LINES
        self.characters = _MAX_CHARACTERS

    def spend(self, lines: Lines) -> None:
        self.lines -= sum(map(_cost, lines))
        self.characters -= sum(map(len, lines))
        if self.lines < 0 or self.characters < 0:
            raise _TooLarge


def _cost(line: str) -> int:
    """How many ordinary lines one is worth to the parser: more where it nests deeply."""
    nesting = _NESTING.match(line)
    return 1 + max(0, (nesting.end() if nesting else 0) - _FREE_NESTING) // 2


class _Outline:
    """The kinds of a text's lines, parsed section by section as they are asked for.

    A section begins with a heading or a paragraph at the left margin outside fences. Nothing above it changes
    what it means, so sections that the result took over whole from one side need no parsing.
    """

    def __init__(self, lines: Lines, budget: _Budget) -> None:
        self.lines = lines
        self.starts = [0, *_section_starts(lines)]
        self._budget = budget
        self._kinds: dict[int, list[Kind]] = {}

    def section(self, number: int) -> slice:
        """The lines of a section."""
        after = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.lines)
        return slice(self.starts[number], after)

    def bodies(self) -> Iterator[str]:
        """The text of each section."""
        for number in range(len(self.starts)):
            yield "\n".join(self.lines[self.section(number)])

    def kind(self, line: int) -> Kind:
        """What the line with this index is."""
        number = bisect.bisect_right(self.starts, line) - 1
        if number not in self._kinds:
            lines = self.lines[self.section(number)]
            self._budget.spend(lines)
            self._kinds[number] = _kinds(lines)
        return self._kinds[number][line - self.starts[number]]


class _Check:
    def __init__(self, outlines: Outlines, segments: Sequence[Segment]) -> None:
        self.base, self.yours, self.current = outlines.base, outlines.yours, outlines.current
        self.segments = segments
        # Where each segment begins in the result.
        self.offsets: list[int] = []
        lines: list[str] = []
        for segment in segments:
            self.offsets.append(len(lines))
            lines.extend(segment.merged(outlines.texts))
        self.result = _Outline(lines, outlines.budget)

    def blamed(self) -> Iterator[int]:
        """The indexes of the changed segments in sections of the result that hold a line of another kind."""
        known = {*self.yours.bodies(), *self.current.bodies()}
        for number, body in enumerate(self.result.bodies()):
            section = self.result.section(number)
            lines = range(section.start, section.stop)
            if body not in known and not all(map(self._keeps, lines)):
                yield from self._changed_in(section)
        if front_matters(self.result.lines) > max(
            front_matters(self.yours.lines), front_matters(self.current.lines)
        ):
            yield from self._changed_in(self.result.section(0))

    def _changed_in(self, section: slice) -> list[int]:
        """The changed segments that touch a section; all of them where a change outside reaches into it."""
        changed = [
            index for index, segment in enumerate(self.segments) if segment.outcome is not Outcome.SHARED
        ]
        ends = [*self.offsets[1:], len(self.result.lines)]
        touching = [
            index for index in changed if self.offsets[index] <= section.stop and ends[index] >= section.start
        ]
        return touching or changed

    def _keeps(self, line: int) -> bool:
        if not self.result.lines[line].strip():
            return True
        index = bisect.bisect_right(self.offsets, line) - 1
        return self.result.kind(line) in self._expected(self.segments[index], line - self.offsets[index])

    def _expected(self, segment: Segment, at: int) -> set[Kind]:
        """The kinds that a line of the result may have: what the side says that changed it."""
        if segment.words:
            found = (self._expected_from(segment, origin) for origin in segment.words.origins[at])
            return set[Kind].intersection(*found)
        base = at if segment.outcome is Outcome.SHARED else None
        yours = None if segment.outcome is Outcome.CURRENT else at
        current = None if segment.outcome is Outcome.YOURS else at
        return self._expected_from(segment, Origin(base, yours, current))

    def _expected_from(self, segment: Segment, origin: Origin) -> set[Kind]:
        found = set()
        if origin.yours is not None:
            found.add(self.yours.kind(segment.yours.start + origin.yours))
        if origin.current is not None:
            found.add(self.current.kind(segment.current.start + origin.current))
        if len(found) == 1 or origin.base is None:
            return found
        base = self.base.kind(segment.base.start + origin.base)
        return found - {base} if base in found else set()


def _parser() -> MarkdownIt:
    """Blocks only: inline markup can't leave its paragraph, and reference definitions cost quadratic time."""
    parser = MarkdownIt("commonmark", {"maxNesting": _MAX_NESTING}).enable("table").disable("reference")
    parser.use(front_matter_plugin).use(footnote_plugin)
    parser.core.ruler.enableOnly(["normalize", "block"])
    return parser


_PARSER = _parser()


def _kinds(lines: Lines) -> list[Kind]:
    kinds: list[Kind] = [()] * len(lines)
    # The parser takes a lone carriage return for the end of a line, which would shift all numbers.
    tokens = _PARSER.parse("\n".join(line.replace("\r", " ") for line in lines))
    for token, kind in _blocks(tokens):
        first, after = token.map or (0, 0)
        kinds[first:after] = [kind] * (after - first)
        if token.type == "fence":
            _mark_fence(kinds, lines, token)
    return kinds


def _blocks(tokens: Sequence[Token]) -> Iterator[tuple[Token, Kind]]:
    """The tokens that have lines of their own, tables as a whole, each with what these lines are."""
    path: Kind = ()
    columns, table = 0, None
    for token in tokens:
        name = token.type.removesuffix("_open").removesuffix("_close")
        if name in _CONTAINERS:
            # What is said in one footnote is none of another, nor of the text.
            named = f"{name} {token.meta['label']}" if "label" in token.meta else name
            path = (*path, named) if token.nesting == 1 else path[:-1]
        if token.type == "table_open":
            columns, table = 0, token
        if token.type == "th_open":
            columns += 1
        if token.type == "table_close" and table:
            yield table, (*path, "table", str(columns))
        if token.type in _LEAVES and token.map:
            yield token, (*path, name)


def _mark_fence(kinds: list[Kind], lines: Lines, token: Token) -> None:
    """Tell a fence's first and last line from those within, and one that nothing closes from all others."""
    first, after = token.map or (0, 0)
    last = lines[after - 1].strip(" \t\r>")
    is_closed = after - first > 1 and last.startswith(token.markup) and not last.strip(token.markup[0])
    kinds[first] = (*kinds[first], "first" if is_closed else "open")
    if is_closed:
        kinds[after - 1] = (*kinds[after - 1], "last")


def _section_starts(lines: Lines) -> Iterator[int]:
    """Where nothing above matters any more: at headings and paragraphs at the margin, outside fences."""
    fence, after_blank, in_paragraph = "", True, False
    matter_ends = _front_matter_end(lines, 0)
    # This loop sees every line of every text: it calls nothing that it needn't.
    for number in range(matter_ends, len(lines)):
        line = lines[number]
        first = line[:1]
        opening = FENCE.match(line) if first in FENCE_BEGINS else None
        if fence or opening:
            fence = fence_after(fence, opening, line)
            after_blank = in_paragraph = False
        elif first.isalpha():
            # A paragraph of thousands of lines is cut, too: where its own words say so, that is at the same
            # lines in all texts.
            if number and (after_blank or (in_paragraph and zlib.crc32(line.encode()) % _CUT_EVERY == 0)):
                yield number
            in_paragraph = after_blank or in_paragraph
            after_blank = False
        else:
            if number and first == "#" and _HEADING.match(line):
                yield number
            in_paragraph = False
            after_blank = not line.strip()


def _front_matter_end(lines: Lines, start: int) -> int:
    """The line after the front matter that begins at `start`, or `start` where there is none."""
    if start >= len(lines) or lines[start].rstrip() != _FRONT_MATTER:
        return start
    for number in range(start + 1, len(lines)):
        if lines[number].rstrip() == _FRONT_MATTER:
            return number + 1
        if number == start + 1 and not re.match(r"[\w-]+\s*:", lines[number]):
            return start
    return start


def front_matters(lines: Lines) -> int:
    """How many blocks of front matter stand on top of each other."""
    count = at = 0
    while (end := _front_matter_end(lines, at)) > at:
        count, at = count + 1, end
        while at < len(lines) and not lines[at].strip():
            at += 1
    return count
