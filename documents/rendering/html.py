"""One text to HTML: CommonMark with tables, strikethrough, task lists and footnotes; raw HTML stays text.

markdown-it-py makes the HTML and nh3 cleans it: whatever one of them may once let through meets the other.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin

from documents.rendering.syntax import with_syntax
from documents.rendering.tokens import align_by_class, mark_tasks, name_headings, settle_addresses

# A part of every cache key: raise it with each change of what comes out, of a library's making too.
RENDERER_VERSION = 3

# A short text can ask for a long address ten thousand times.
LONGEST_HTML = 5_000_000
# Levels of blocks; a list takes two of them.
_NESTING = 100
_HOLDING = {"blockquote_open", "list_item_open"}

_HEADINGS = {f"h{level}" for level in range(1, 7)}
_TAGS = {
    *_HEADINGS,
    *(
        "a",
        "blockquote",
        "br",
        "code",
        "del",
        "em",
        "hr",
        "img",
        "input",
        "label",
        "li",
        "ol",
        "p",
        "pre",
        "s",
    ),
    *("section", "span", "strong", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
_ATTRIBUTES = {
    **{tag: {"id"} for tag in _HEADINGS},
    "a": {"href", "title", "id", "class", "aria-label"},
    "code": {"class"},
    "hr": {"class"},
    "img": {"src", "alt", "title"},
    "input": {"class", "checked", "disabled"},
    "li": {"id", "class"},
    "ol": {"start", "class"},
    "pre": {"class"},
    "section": {"class", "aria-label"},
    "span": {"class"},
    "sup": {"class"},
    "td": {"class"},
    "th": {"class"},
    "ul": {"class"},
}


@dataclasses.dataclass(frozen=True, slots=True)
class Rendered:
    """The HTML, and its headings as `{level, title, anchor}` in their order.

    `plain` says that the text was too much to be read as Markdown and is shown as it is.
    """

    html: str
    toc: list[dict[str, str | int]]
    plain: bool = False


class TooMuch(ValueError):
    """The HTML would be longer than anybody reads, or the parser has left out what is nested too deep."""


def render(text: str) -> Rendered:
    """The text as clean HTML; raises TooMuch.

    Its cost is not bounded: hostile input goes through `render_bounded`.
    """
    return render_syntax(render_markdown(text))


def render_markdown(text: str) -> Rendered:
    """The text as clean HTML whose code is plain text as yet; raises TooMuch."""
    parser = _parser()
    environment: dict[str, object] = {}
    tokens = parser.parse(text, environment)
    # The parser goes no deeper and skips the rest: words that nobody would miss.
    if any(token.level >= _NESTING - 1 and token.type in _HOLDING for token in tokens):
        raise TooMuch
    toc = list(name_headings(tokens))
    settle_addresses(tokens)
    align_by_class(tokens)
    mark_tasks(tokens)
    html = parser.renderer.render(tokens, parser.options, environment)
    if len(html) > LONGEST_HTML:
        raise TooMuch
    return Rendered(_clean(html), toc)


def render_syntax(rendered: Rendered) -> Rendered:
    """What `render_markdown` made, with classes in its blocks of code."""
    marked = with_syntax(rendered.html)
    return rendered if marked == rendered.html else dataclasses.replace(rendered, html=_clean(marked))


@functools.cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("js-default", {"html": False, "maxNesting": _NESTING}).use(footnote_plugin)
    parser.add_render_rule("footnote_block_open", _notes_open)
    parser.add_render_rule("footnote_caption", _note_number)
    parser.add_render_rule("footnote_anchor", _note_back)
    return parser


def _notes_open(*_: Any) -> str:
    return (
        '<hr class="footnotes-sep">\n<section class="footnotes" aria-label="Footnotes">\n'
        '<ol class="footnotes-list">\n'
    )


def _note_number(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    return f"[{tokens[index].meta['id'] + 1}]"


def _note_back(_: Any, tokens: Sequence[Token], index: int, *__: Any) -> str:
    """The way back to one of the places that refer to the note."""
    number, use = tokens[index].meta["id"] + 1, tokens[index].meta["subId"]
    name = f"{number}:{use}" if use else str(number)
    # The second character keeps the arrow from being shown as a picture.
    return (
        f' <a href="#fnref{name}" class="footnote-backref" aria-label="Back to reference {name}">'
        "\u21a9\ufe0e</a>"
    )


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        tag_attribute_values={"input": {"type": {"checkbox"}}},
        # What scrolls must be reached by keyboard, too.
        set_tag_attribute_values={"pre": {"tabindex": "0"}},
        url_schemes={"cs", "http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
    )
