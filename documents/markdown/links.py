"""Links of a Markdown text with their places in the source, so that targets alone can be rewritten.

markdown-it-py decides what is a link; it keeps no positions, so each one is found again in its block's lines.
"""

from __future__ import annotations

import bisect
import dataclasses
import enum
import re
from collections.abc import Callable, Sequence
from typing import Any

from markdown_it import MarkdownIt, rules_inline
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

# 20,000 opening brackets in one paragraph cost the parser seconds, growing with the square.
_MAX_WORK = 20_000_000
_MAX_LENGTH = 2_000_000

_Rule = Callable[[StateInline, bool], bool]

_BLANK_LINE = re.compile(r"\n[ \t]*\n")
_DEFINITION_HEAD = re.compile(r"\[(?:[^\[\]\\]|\\.){1,999}\]:\s*")


class LinkKind(enum.StrEnum):
    """What kind of construct holds the target."""

    DEFINITION = "definition"
    IMAGE = "image"
    LINK = "link"


@dataclasses.dataclass(frozen=True, slots=True)
class Link:
    """A link target: `text[start:end]` is `target` as written, percent-encoding included."""

    start: int
    end: int
    target: str
    kind: LinkKind


class TooComplex(ValueError):
    """The text would take the parser too long; it is left as it is."""


def links_of(text: str) -> list[Link]:
    """Inline links, images and reference definitions in the order of the text; autolinks are left alone.

    Raises TooComplex for hostile or huge input.
    """
    check_complexity(text)
    env: dict[str, Any] = {}
    tokens = _PARSER.parse(text, env)
    lines = _Lines(text)
    found: list[Link] = []
    for token in tokens:
        if token.type == "inline" and token.map:
            found += _inline_links(token, env, lines)
    for definition in _definitions(env):
        link = lines.definition(definition["map"][0], definition["map"][1])
        if link:
            found.append(link)
    return sorted(set(found), key=lambda link: link.start)


def rewrite_links(text: str, resolve: Callable[[Link], str | None]) -> str:
    """The text with the target of each link that `resolve` answers for replaced; every other byte stays.

    Raises TooComplex as `links_of` does.
    """
    parts, end = [], 0
    for link in links_of(text):
        target = resolve(link)
        if target is None or link.start < end:
            continue
        parts += [text[end : link.start], target]
        end = link.end
    parts.append(text[end:])
    return "".join(parts)


def check_complexity(text: str) -> None:
    """Raise TooComplex where the number of brackets in a block, squared, is beyond about a second of work."""
    if len(text) > _MAX_LENGTH:
        raise TooComplex(f"The text is longer than {_MAX_LENGTH} characters.")
    work = sum(
        (block.count("[") + block.count("<") + block.count("`")) ** 2 for block in _BLANK_LINE.split(text)
    )
    if work > _MAX_WORK:
        raise TooComplex("The text holds too many brackets to be parsed.")


def _definitions(env: dict[str, Any]) -> Sequence[dict[str, Any]]:
    return [*env.get("references", {}).values(), *env.get("duplicate_refs", [])]


def _inline_links(token: Token, env: dict[str, Any], lines: _Lines) -> list[Link]:
    """The inline links of one block; the parser's rules note the spans of the targets as they go."""
    recorded: list[tuple[int, int, LinkKind]] = []
    _PARSER.inline.parse(token.content, _PARSER, {**env, "recorded": recorded, "content": token.content}, [])
    place = lines.places(token)
    found = []
    for start, end, kind in sorted(set(recorded)):
        source = place(start)
        target = token.content[start:end]
        if source is not None and lines.text.startswith(target, source):
            found.append(Link(source, source + len(target), target, kind))
    return found


class _Lines:
    """The source by lines, and where the text of a parsed block stands in it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.starts = [0]
        for match in re.finditer(r"\r\n|\n|\r", text):
            self.starts.append(match.end())
        self._cursor: dict[int, int] = {}

    def line(self, number: int) -> str:
        end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.text)
        return self.text[self.starts[number] : end]

    def places(self, token: Token) -> Callable[[int], int | None]:
        """From an offset in the block's content to one in the source, whose lines hold its own."""
        first = (token.map or [0])[0]
        bounds, sources, offset = [], [], 0
        for index, content in enumerate(token.content.split("\n")):
            number = first + index
            bounds.append(offset)
            sources.append(self._find(number, content) if number < len(self.starts) else None)
            offset += len(content) + 1

        def place(position: int) -> int | None:
            index = bisect.bisect_right(bounds, position) - 1
            source = sources[index]
            return None if source is None else source + position - bounds[index]

        return place

    def _find(self, number: int, content: str) -> int | None:
        # Cells of one table row share the line: the next one is looked for behind the last.
        begin = self._cursor.get(number, 0)
        at = self.line(number).find(content, begin)
        if at < 0:
            return None
        self._cursor[number] = at + len(content)
        return self.starts[number] + at

    def definition(self, first: int, last: int) -> Link | None:
        """The target of the reference definition that stands in these lines."""
        begin = self.starts[first]
        end = self.starts[last] if last < len(self.starts) else len(self.text)
        head = _DEFINITION_HEAD.search(self.text, begin, end)
        if head is None:
            return None
        start = head.end()
        if self.text.startswith("<", start):
            start += 1
            stop = self.text.find(">", start, end)
        else:
            rest = self.text[start:end].split(maxsplit=1)
            stop = start + len(rest[0]) if rest else -1
        return Link(start, stop, self.text[start:stop], LinkKind.DEFINITION) if stop > start else None


def _recording(rule: _Rule, kind: LinkKind) -> _Rule:
    """The parser's own rule, with the span of the target noted where it made an inline link."""

    def run(state: StateInline, silent: bool) -> bool:  # noqa: FBT001 (the parser calls it so)
        start = state.pos
        made = rule(state, silent)
        # The alternative text of an image is parsed as a text of its own, whose offsets say nothing here.
        if made and not silent and state.src == state.env["content"]:
            span = _target_span(state, start)
            if span:
                state.env["recorded"].append((*span, kind))
        return made

    return run


def _target_span(state: StateInline, start: int) -> tuple[int, int] | None:
    """Where the target stands in one link, `state.src[start:state.pos]`; None for a reference link."""
    text = state.src
    if text[state.pos - 1] != ")":
        return None
    opening = text.index("[", start)
    close = state.md.helpers.parseLinkLabel(state, opening)
    if close < 0 or text[close + 1 : close + 2] != "(":
        return None
    begin = close + 2
    while begin < state.pos and text[begin] in " \t\n":
        begin += 1
    result = state.md.helpers.parseLinkDestination(text, begin, state.posMax)
    if not result.ok:
        return None
    return (begin + 1, result.pos - 1) if text[begin] == "<" else (begin, result.pos)


def _parser() -> MarkdownIt:
    """CommonMark with tables as far as links need it: no emphasis, whose marks cost time and move no link."""
    parser = MarkdownIt("commonmark").enable("table").disable(["emphasis", "entity"])
    parser.core.ruler.enableOnly(["normalize", "block"])
    parser.inline.ruler.at("link", _recording(rules_inline.link, LinkKind.LINK))
    parser.inline.ruler.at("image", _recording(rules_inline.image, LinkKind.IMAGE))
    return parser


_PARSER = _parser()
