"""One text to HTML: CommonMark with tables, strikethrough, task lists and footnotes; raw HTML stays text.

markdown-it-py makes the HTML and nh3 cleans it: whatever one of them may once let through meets the other.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.tasklists import tasklists_plugin

# A part of every cache key: raise it with each change of what comes out.
RENDERER_VERSION = 1

_NOT_IN_ANCHORS = re.compile(r"[^\w\- ]+")
_ALIGNMENT = re.compile(r"text-align:(left|center|right)")
_HEADINGS = {f"h{level}" for level in range(1, 7)}
_TAGS = {
    *_HEADINGS,
    *("a", "blockquote", "br", "code", "del", "em", "hr", "img", "input", "li", "ol", "p", "pre", "s"),
    *("section", "strong", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul"),
}
_ATTRIBUTES = {
    **{tag: {"id"} for tag in _HEADINGS},
    "a": {"href", "title", "id", "class"},
    "code": {"class"},
    "hr": {"class"},
    "img": {"src", "alt", "title"},
    "input": {"class", "checked", "disabled"},
    "li": {"id", "class"},
    "ol": {"start", "class"},
    "section": {"class"},
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


def render(text: str) -> Rendered:
    """The text as clean HTML. Its cost is not bounded: hostile input goes through `render_bounded`."""
    parser = _parser()
    environment: dict[str, object] = {}
    tokens = parser.parse(text, environment)
    toc = list(_name_headings(tokens))
    _align_by_class(tokens)
    return Rendered(_clean(parser.renderer.render(tokens, parser.options, environment)), toc)


@functools.cache
def _parser() -> MarkdownIt:
    return MarkdownIt("js-default", {"html": False}).use(footnote_plugin).use(tasklists_plugin)


def _name_headings(tokens: Sequence[Token]) -> Iterator[dict[str, str | int]]:
    """Give each heading an anchor of its words, as code forges do; the second of a name is `name-1`."""
    taken: Counter[str] = Counter()
    for opening, inline in itertools.pairwise(tokens):
        if opening.type != "heading_open":
            continue
        title = "".join(
            part.content for part in inline.children or () if part.type in {"text", "code_inline"}
        )
        words = _NOT_IN_ANCHORS.sub("", title.strip().lower()).replace(" ", "-") or "section"
        anchor = f"{words}-{taken[words]}" if taken[words] else words
        taken[words] += 1
        opening.attrSet("id", anchor)
        yield {"level": int(opening.tag[1]), "title": title, "anchor": anchor}


def _align_by_class(tokens: Sequence[Token]) -> None:
    """Inline styles break a strict content policy; classes don't."""
    for token in tokens:
        style = _ALIGNMENT.fullmatch(str(token.attrs.get("style", "")))
        if style:
            del token.attrs["style"]
            token.attrSet("class", f"align-{style[1]}")


def _clean(html: str) -> str:
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        tag_attribute_values={"input": {"type": {"checkbox"}}},
        url_schemes={"cs", "http", "https", "mailto"},
        link_rel="nofollow noopener noreferrer",
    )
