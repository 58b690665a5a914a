"""What the documents say: believable Markdown of paragraphs, lists and headings, with its search vector.

Paragraphs are written once and documents choose among them, so that a vector is put together of known words
and not parsed out of a text: PostgreSQL takes a millisecond for each KB, a million documents would take half
an hour. A test holds that both ways give the same.
"""

from __future__ import annotations

import dataclasses
import itertools
import random
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from documents.demo.layout import Dice, Node
from documents.demo.names import (
    ADJECTIVES,
    ADVERBS,
    COMMON,
    NOUNS,
    PHRASE,
    PLACES,
    RARE,
    TOPICS,
    VERBS,
)

LANGUAGE, CONFIG = "en", "cs_english"
TAGS = (
    "design",
    "finance",
    "guide",
    "howto",
    "meeting",
    "operations",
    "people",
    "policy",
    "product",
    "research",
)
_SMALL_SIZE = 3_000
_PARAGRAPHS, _HEADINGS, _LISTS = 3_000, 600, 300
_WORD = re.compile(r"[a-z0-9]+")
# What a vector keeps of one word.
_MOST_POSITIONS = 255
_FRAMES = (
    "The {a} {n} of {p} {v} the {n} and the {a} {n}.",
    "{p} {v} the {n} {d}, and the {n} {v} it.",
    "Every {n} {v} the {a} {n} before the {n} of {p} is open.",
    "We asked the {n} of {p} whether the {a} {n} {v} the {n}.",
    "When the {n} {v} a {a} {n}, the {n} {v} it {d}.",
    "It is the {a} {n} that {v} the {n}, not the {n} in {p}.",
    "A {n} which {v} the {n} {d} is a {a} {n}.",
)

# Sentences that stand in every so many documents.
_SIGNS = (
    (997, f"It names the {RARE}."),
    (4, f"Every team is in the {COMMON}."),
    (50, f"The {PHRASE} is on the next page."),
)

T = TypeVar("T")
Lexemes = Mapping[str, Sequence[str]]


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, list or heading: its Markdown and its words that a vector holds, with their places in it.

    `words` counts all, `pieces` what stands between spaces.
    """

    text: str
    lexemes: tuple[tuple[int, str], ...]
    words: int
    pieces: int
    heading: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Written:
    """A document's text, its `search_vector` as PostgreSQL reads it, and its `search_length`."""

    title: str
    tags: list[str]
    blocks: list[Block]
    vector: str
    length: int

    def body(self, revision: int, last: int) -> str:
        """The Markdown as of `revision` of `last`: each revision added a paragraph."""
        kept = max(1, len(self.blocks) - (last - revision))
        return "\n\n".join(block.text for block in self.blocks[:kept]) + "\n"


def vocabulary() -> list[str]:
    """All words that the documents are made of, numbers apart."""
    said = [*_FRAMES, *(sentence for _, sentence in _SIGNS), "Notes on the"]
    words = [*NOUNS, *VERBS, *ADJECTIVES, *ADVERBS, *PLACES, *TOPICS]
    return sorted({*words, *_words(" ".join(said))})


class Prose:
    """Writes documents; `lexemes` says what a word of the vocabulary becomes, nothing for a stop word."""

    def __init__(self, lexemes: Lexemes) -> None:
        """Write the paragraphs, the same for the same vocabulary."""
        self._lexemes = lexemes
        dice = random.Random(4711)  # noqa: S311 (prose, not a secret)
        draw = {"a": _zipf(ADJECTIVES, dice), "d": _zipf(ADVERBS, dice), "n": _zipf(NOUNS, dice)}
        draw |= {"p": _zipf(PLACES, dice), "v": _zipf(VERBS, dice)}

        def sentence() -> str:
            frame = dice.choice(_FRAMES)
            shown = re.sub(r"\{([adnpv])\}", lambda slot: _shown(slot[1], draw[slot[1]]()), frame)
            return shown[0].upper() + shown[1:]

        self._paragraphs = [
            self._block(" ".join(sentence() for _ in range(dice.randint(2, 4)))) for _ in range(_PARAGRAPHS)
        ]
        self._headings = [
            self._block(
                f"## {draw['a']().capitalize()} {draw['n']()} of {draw['p']().capitalize()}", heading=True
            )
            for _ in range(_HEADINGS)
        ]
        self._lists = [
            self._block("\n".join(f"- {draw['a']()} {draw['n']()}" for _ in range(dice.randint(3, 6))))
            for _ in range(_LISTS)
        ]
        self._topics = [self._block(f"Notes on the {topic}.") for topic in TOPICS]
        self._openings = [self._block(f"Notes on {place.capitalize()}.") for place in PLACES]
        self._signs = [(every, self._block(sentence)) for every, sentence in _SIGNS]

    def document(self, node: Node) -> Written:
        """The text of one document, the same for the same number and size."""
        dice = Dice(-node.number)
        kind, place = _pick(ADJECTIVES, dice).capitalize(), _pick(PLACES, dice).capitalize()
        title = f"{kind} {_pick(NOUNS, dice)} of {place} {node.number}"
        blocks = self._blocks(node, dice)
        vector, length = self._vector(title, blocks)
        tags = sorted({_pick(TAGS, dice) for _ in range(dice.below(4))})
        return Written(title, tags, blocks, vector, length)

    def _blocks(self, node: Node, dice: Dice) -> list[Block]:
        number = node.number
        opening = self._topics[number % len(TOPICS)] if number % 3 == 0 else _pick(self._openings, dice)
        blocks = [opening, *(block for every, block in self._signs if number % every == 1)]
        wanted = _SMALL_SIZE if node.size is None else node.size
        size = sum(len(block.text) for block in blocks)
        draw = random.Random(number).random  # noqa: S311 (prose, not a secret)
        while size < wanted or len(blocks) < node.revisions:
            kind = len(blocks) % 5
            pool = self._headings if kind == 1 else self._lists if kind == 4 else self._paragraphs
            block = pool[int(draw() * len(pool))]
            blocks.append(block)
            size += len(block.text) + 2
        return blocks

    def _vector(self, title: str, blocks: list[Block]) -> tuple[str, int]:
        """As `cs_search_vector` makes it: title, headings and body in a row, each with its weight."""
        found: dict[str, list[str]] = {}
        head = self._block(title)
        end = _place(found, [head], 0, "A")
        end = _place(found, [block for block in blocks if block.heading], end, "B")
        _place(found, blocks, end, "")
        length = head.pieces + sum(block.pieces for block in blocks)
        return " ".join(f"{word}:{','.join(at[:_MOST_POSITIONS])}" for word, at in found.items()), length

    def _block(self, text: str, *, heading: bool = False) -> Block:
        words = _words(text)
        lexemes = tuple(
            (at, lexeme)
            for at, word in enumerate(words, 1)
            for lexeme in ((word,) if word.isdecimal() else self._lexemes[word])
        )
        return Block(text, lexemes, len(words), len(text.split()), heading)


def _place(found: dict[str, list[str]], blocks: Iterable[Block], begin: int, weight: str) -> int:
    """Add the words of texts behind the place `begin`; gives the place of the last that a vector holds."""
    last = begin
    for block in blocks:
        for at, lexeme in block.lexemes:
            last = begin + at
            found.setdefault(lexeme, []).append(f"{last}{weight}")
        begin += block.words
    return last


def _words(text: str) -> list[str]:
    return _WORD.findall(re.sub(r"\{[adnpv]\}", " ", text).lower())


def _shown(slot: str, word: str) -> str:
    return word.capitalize() if slot == "p" else word


def _pick(pool: Sequence[T], dice: Dice) -> T:
    return pool[dice.below(len(pool))]


def _zipf(words: Sequence[str], dice: random.Random) -> Callable[[], str]:
    """Draws the n-th word with a weight of 1/n."""
    weights = list(itertools.accumulate(1 / rank for rank in range(1, len(words) + 1)))
    return lambda: dice.choices(words, cum_weights=weights)[0]
