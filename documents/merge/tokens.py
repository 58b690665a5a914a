"""A text as words, each with the white space before it: a paragraph wrapped anew has the same words."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence
from itertools import accumulate

# Scripts without spaces between words: Thai, Lao, Burmese, Khmer, kana and han go character by character.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff"
)
_LETTER = rf"(?:[^\W{_UNSPACED}]|[\u0300-\u036f])"
# Words without what stands between them.
WORD = re.compile(rf"[{_UNSPACED}]|[^\W{_UNSPACED}]+")
# What belongs together is one token, in which two people can't both change something: inline code, the
# destination of a link, an address, a comment, a footnote's mark, a box to tick.
_TOKEN = re.compile(
    rf"""
      (?P<tick>`+)[^`\n]+(?P=tick)(?!`)
    | \]\([^()\s]*(?:[ \t]+"[^"\n]*")?\) | \]\[[^\[\]\n]*\] | \[\^[^\[\]\s]+\]:? | \[[ xX]\]
    | <!--[^\n<]*?--> | <[^<>\n]*>
    | [a-zA-Z][a-zA-Z+.-]{{1,15}}://[^\s)>\]]+
    | [{_UNSPACED}]
    | {_LETTER}+(?:['\u2019.,@-]{_LETTER}+)*
    | \*+ | ~+ | =+ | -+ | \#+ | `+
    | \S
    """,
    re.VERBOSE,
)
_SOFT = frozenset({" ", "\n", "\r\n"})
_QUOTES = frozenset("([`\u201c\u2018\u201e\u00ab\"'_")
_IS_UNSPACED = re.compile(rf"[{_UNSPACED}]")


@dataclasses.dataclass(frozen=True, slots=True)
class Words:
    """A text in tokens. `gaps[n]` is the white space before token n, the last one that after all of them."""

    tokens: Sequence[str]
    gaps: Sequence[str]

    @classmethod
    def split(cls, text: str) -> Words:
        """The tokens of a text; gaps and tokens put together are the text again."""
        tokens: list[str] = []
        gaps: list[str] = []
        at = 0
        for match in _TOKEN.finditer(text):
            gaps.append(text[at : match.start()])
            tokens.append(match[0])
            at = match.end()
        return cls(tokens, [*gaps, text[at:]])

    def keys(self) -> list[str]:
        """What each token is compared by: itself and the white space before it.

        One space and the end of a line are the same between words, for a paragraph is wrapped anew by whoever
        edits it. An indent, a blank line or two spaces mean something, and so does the end of a line before
        what can begin a list, a quote, a heading or a row.
        """
        return [
            " " + token if gap in _SOFT and (gap == " " or _is_word(token)) else gap + token
            for gap, token in zip(self.gaps, self.tokens, strict=False)
        ]

    def lines(self) -> list[int]:
        """The line, from 0, in which each token stands."""
        return list(accumulate(gap.count("\n") for gap in self.gaps[:-1]))


def _is_word(token: str) -> bool:
    if token[0] == "`":
        return bool(token.strip("`"))
    return token[0].isalpha() or (token[0] in _QUOTES and not token.endswith(":"))


def weight(token: str) -> int:
    """How much a token says: two for a word, one for a character of a script without spaces."""
    if _IS_UNSPACED.match(token):
        return 1
    return 2 if any(map(str.isalnum, token)) else 0
