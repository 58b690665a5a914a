"""What a merge lost, doubled, brought back or tore, told without a look at how it was made.

Words, lines and parts of the Markdown are counted in the four texts. Moving one changes no count; what both
sides added may be one thing or two; what one side added and the other removed may be anything between.
"""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Iterator, Sequence

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.footnote import footnote_plugin
from mdit_py_plugins.front_matter import front_matter_plugin

# Words, and single characters of scripts without spaces.
_WORD = re.compile(r"[\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]|[^\W\u0e00-\u0eff\u3040-\u30ff\u3400-\u9fff]+")
_LITERAL = re.compile(r"\*\*?|~~|`+|\]\[|\]\(|\[\^")
_MARKDOWN = (
    MarkdownIt("commonmark")
    .enable(["table", "strikethrough"])
    .use(footnote_plugin, inline=False)
    .use(front_matter_plugin)
)


def word_losses(base: str, yours: str, current: str, merged: str) -> list[str]:
    """Each word that stands in the merge more or less often than both sides can accept."""
    return _wrong([Counter(_words(text)) for text in (base, yours, current, merged)])


def line_losses(base: str, yours: str, current: str, merged: str) -> list[str]:
    """Each line with words that one side alone added and that the merge has neither whole nor word by word.

    Where both sides changed words of one line, or wrapped the paragraph anew, its words stand in their order,
    with the other side's among them and without those that the other side took out or moved.
    """
    texts = (base, yours, current)
    before, mine, theirs = (set(text.split("\n")) for text in texts)
    found = []
    for added, other in ((mine - before - theirs, current), (theirs - before - mine, yours)):
        gone = Counter(_words(base)) - Counter(_words(other))
        for line in sorted(added - set(merged.split("\n"))):
            words = [word for word in _words(line) if word not in gone]
            if not _mostly_in_order(words, _words(merged)):
                found.append(f"{line!r} is missing")
    return found


def torn(base: str, yours: str, current: str, merged: str) -> list[str]:
    """What of the Markdown's structure stands in the merge as in none of the texts that went into it.

    Signs of markup that stand there as mere text and fences that nothing closes may not become more than both
    sides left; tables, fences, headings, list items, links and footnotes come and go as words do.
    """
    parts = [Counter(_parts(text)) for text in (base, yours, current, merged)]
    broken = [
        f"{part}: {[count[part] for count in parts]}"
        for part in sorted(parts[3])
        if part.startswith("broken") and parts[3][part] > max(parts[0][part], parts[1][part] + parts[2][part])
    ]
    for count in parts:
        for part in [name for name in count if name.startswith("broken")]:
            del count[part]
    return broken + [wrong for wrong in _wrong(parts) if not wrong.startswith("'link'") or _is_lost(parts)]


def _is_lost(parts: Sequence[Counter[str]]) -> bool:
    """Whether there are fewer links than there must be; more may be, for one within another is none."""
    base, yours, current, merged = (count["link"] for count in parts)
    return merged < _bounds(base, yours, current)[0]


def _words(text: str) -> list[str]:
    return _WORD.findall(text)


def _mostly_in_order(words: Sequence[str], text: Sequence[str]) -> bool:
    """Whether more than half of the words stand in the text one after the other."""
    blocks = difflib.SequenceMatcher(None, words, text, autojunk=False).get_matching_blocks()
    return 2 * sum(block.size for block in blocks) >= len(words)


def _parts(text: str) -> Iterator[str]:
    columns = 0
    lines = text.split("\n")
    for token in _MARKDOWN.parse(text):
        columns = 0 if token.type == "table_open" else columns + (token.type == "th_open")
        if token.type == "table_close":
            yield f"table of {columns} columns"
        elif token.type in {"heading_open", "list_item_open", "footnote_reference_open", "front_matter"}:
            yield f"{token.type} {token.tag}"
        elif token.type == "fence" and token.map:
            is_closed = lines[token.map[1] - 1].strip(" >").startswith(token.markup)
            yield "fence" if is_closed and token.map[1] - token.map[0] > 1 else "broken: open fence"
        yield from _inline(token.children or ())


def _inline(tokens: Sequence[Token]) -> Iterator[str]:
    for token in tokens:
        if token.type == "link_open":
            yield "link"
        elif token.type == "text":
            yield from (f"broken: {sign} as text" for sign in _LITERAL.findall(token.content))


def _wrong(counts: Sequence[Counter[str]]) -> list[str]:
    base, yours, current, merged = counts
    found = []
    for unit in sorted(base.keys() | yours.keys() | current.keys() | merged.keys()):
        low, high = _bounds(base[unit], yours[unit], current[unit])
        if not low <= merged[unit] <= high:
            found.append(f"{unit!r}: {base[unit]} → {yours[unit]} and {current[unit]}, merged {merged[unit]}")
    return found


def _bounds(base: int, yours: int, current: int) -> tuple[int, int]:
    """How often a unit may stand in a merge, at least and at most."""
    if yours == base:
        return current, current
    if current == base:
        return yours, yours
    together = max(0, yours + current - base)
    if yours > base and current > base:
        return max(yours, current), together
    if yours < base and current < base:
        return together, min(yours, current)
    return min(yours, current), max(yours, current)
