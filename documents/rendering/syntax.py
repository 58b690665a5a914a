"""Classes for the words of code, by Pygments: names of classes alone, for a stylesheet to give colours to.

The language is taken by its exact name and never guessed, a block beyond a size stays as it is, and what the
lexer makes of a block must be the block again, letter by letter.
"""

from __future__ import annotations

import functools
import html
import itertools
import re
from collections.abc import Iterable, Iterator
from typing import Any

from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class, get_all_lexers
from pygments.token import STANDARD_TYPES, Error, Text, Whitespace

# CPU time for the code of one text, beyond that for its Markdown.
SYNTAX_SECONDS = 1.0
# Characters of one block, and of all blocks of a text together.
LONGEST_BLOCK = 20_000
LONGEST_CODE = 100_000

# In clean HTML no text holds a bare `<`, so this can't be met but where there is such a block.
_BLOCK = re.compile(r'<pre tabindex="0"><code class="language-([^"]*)">([^<]*)</code></pre>')
_UNMARKED = {Error, Text, Whitespace}


def has_code(clean: str) -> bool:
    """Whether `with_syntax` may change anything in the HTML."""
    return any(_lexer_name(found[1]) for found in _BLOCK.finditer(clean))


def with_syntax(clean: str) -> str:
    """The clean HTML with classes in its blocks of code; it goes through the cleaner once more."""
    left = LONGEST_CODE

    def marked(found: re.Match[str]) -> str:
        nonlocal left
        name, code = _lexer_name(found[1]), html.unescape(found[2])
        if name is None or len(code) > min(left, LONGEST_BLOCK):
            return found[0]
        left -= len(code)
        tokens = list(_lexer(name).get_tokens(code))
        if "".join(value for _, value in tokens) != code:
            return found[0]
        words = "".join(_spans(tokens))
        return f'<pre class="highlight" tabindex="0"><code class="language-{found[1]}">{words}</code></pre>'

    return _BLOCK.sub(marked, clean)


def _spans(tokens: Iterable[tuple[Any, str]]) -> Iterator[str]:
    classed = ((_class_of(kind), value) for kind, value in tokens)
    for name, run in itertools.groupby(classed, key=lambda one: one[0]):
        text = html.escape("".join(value for _, value in run), quote=False)
        yield f'<span class="{name}">{text}</span>' if name else text


@functools.cache
def _class_of(kind: Any) -> str:
    """The short name that Pygments' own stylesheets use; none for what looks like the rest."""
    for one in reversed(kind.split()):
        if one in _UNMARKED:
            return ""
        if name := STANDARD_TYPES.get(one):
            return str(name)
    return ""


def _lexer_name(language: str) -> str | None:
    # Book tools write `rust,ignore`.
    return _names().get(html.unescape(language).partition(",")[0].lower())


@functools.cache
def _names() -> dict[str, str]:
    """By alias; without what other packages bring along."""
    known = {alias: name for name, aliases, *_ in get_all_lexers(plugins=False) for alias in aliases}
    # Text has nothing to tell apart.
    return {alias: name for alias, name in known.items() if name not in {"Text only", "Text output"}}


@functools.lru_cache(maxsize=100)
def _lexer(name: str) -> Lexer:
    found = find_lexer_class(name)
    if found is None:
        raise LookupError(name)
    # Nothing is stripped or added: the code is shown as it was written.
    return found(stripnl=False, ensurenl=False)
