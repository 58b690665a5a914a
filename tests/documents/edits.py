"""Documents and edits of them by two people, drawn at random, that try to make a merge go wrong."""

from __future__ import annotations

import random
import re
from collections.abc import Callable

_COMMON = ["the", "of", "and", "a", "to", "in", "is", "that", "it", "not", "very", "word", "words", "code"]
_CJK = "我们在文档中写字并且合并两个人的修改"


def wrapped(words: list[str], width: int) -> str:
    """The words in lines of at most about `width` characters."""
    lines = [""]
    for word in words:
        if lines[-1] and len(lines[-1]) + len(word) >= width:
            lines.append("")
        lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return "\n".join(lines)


class Writer:
    """One who writes a document (`text`) or edits another's (`edited`); their own words carry `name`."""

    def __init__(self, chance: random.Random, name: str, *, unique: bool) -> None:
        self.chance, self.name, self.unique = chance, name, unique
        self.count = 0

    def word(self) -> str:
        """A new word: one that nobody else writes, or one that stands everywhere."""
        self.count += 1
        return f"{self.name}{self.count}" if self.unique else self.chance.choice(_COMMON)

    def words(self, most: int) -> list[str]:
        """Up to `most` words, some in markup."""
        return [self._marked(self.word()) for _ in range(self.chance.randint(1, most))]

    def _marked(self, word: str) -> str:
        if self.chance.random() < 0.85:
            return word
        form = self.chance.choice(
            ["`{}`", "**{}**", "_{}_", "[{}](x.md)", "[{}][ref]", "{},", "{}[^1]", "({})", "{}."]
        )
        return form.format(word)

    def sentence(self) -> list[str]:
        """Words that end with a full stop."""
        return [*self.words(12), self.word() + "."]

    def block(self) -> str:
        """A paragraph, list, table, fence, quote, heading or definition."""
        kinds: list[Callable[[], str]] = [
            lambda: wrapped([w for _ in range(self.chance.randint(1, 4)) for w in self.sentence()], 40),
            lambda: " ".join(w for _ in range(self.chance.randint(1, 4)) for w in self.sentence()),
            lambda: "\n".join("- " + " ".join(self.words(6)) for _ in range(self.chance.randint(1, 5))),
            lambda: "\n".join(f"{n + 1}. {' '.join(self.words(5))}" for n in range(3)),
            lambda: "- " + self.word() + "\n\n  " + " ".join(self.words(5)) + "\n  - " + self.word(),
            self._table,
            lambda: "```\n" + "\n".join(" ".join(self.words(4)) for _ in range(3)) + "\n```",
            lambda: "> " + "\n> ".join(" ".join(self.words(6)) for _ in range(3)),
            lambda: "#" * self.chance.randint(1, 3) + " " + " ".join(self.words(3)),
            lambda: "".join(self.chance.choice(_CJK) for _ in range(40)),
        ]
        return self.chance.choices(kinds, [6, 4, 3, 1, 2, 2, 2, 1, 2, 1])[0]()

    def _table(self) -> str:
        width = self.chance.randint(2, 3)
        rows = [[self.word() for _ in range(width)] for _ in range(self.chance.randint(2, 4))]
        rows.insert(1, ["-"] * width)
        return "\n".join("| " + " | ".join(row) + " |" for row in rows)

    def text(self, blocks: int) -> str:
        """A document with a definition of `[ref]` and of `[^1]` at its end."""
        made = [self.block() for _ in range(blocks)]
        return "\n\n".join([*made, "[ref]: https://example.org/a", "[^1]: " + self.word()]) + "\n"

    def edited(self, text: str, edits: int) -> str:
        """The document after some edits."""
        for _ in range(edits):
            text = self.chance.choices(
                [self._in_words, self._in_lines, self._in_blocks, self._in_markup], [6, 2, 2, 2]
            )[0](text)
        return text

    def _in_words(self, text: str) -> str:
        """Change, add, delete or move some words of one block."""
        blocks = text.split("\n\n")
        at = self.chance.randrange(len(blocks))
        pieces = re.split(r"(\s+)", blocks[at])
        words = pieces[::2]
        start = self.chance.randrange(len(words))
        end = min(len(words), start + self.chance.choice([1, 1, 1, 2, 3, 8]))
        action = self.chance.choice(["change", "change", "add", "delete", "move", "wrap"])
        if action == "wrap":
            blocks[at] = wrapped([word for word in words if word], self.chance.choice([30, 40, 60]))
            return "\n\n".join(blocks)
        taken = pieces[2 * start : 2 * end]
        if action == "change":
            pieces[2 * start] = " ".join(self.words(2))
            del pieces[2 * start + 1 : 2 * end - 1]
        elif action == "add":
            pieces[2 * start : 2 * start] = [" ".join(self.words(3)), " "]
        else:
            del pieces[2 * start : 2 * end]
            if action == "move":
                to = 2 * self.chance.randrange(len(pieces) // 2 + 1)
                pieces[to:to] = taken
        blocks[at] = "".join(pieces)
        return "\n\n".join(blocks)

    def _in_lines(self, text: str) -> str:
        """Delete, double, move or add a line."""
        lines = text.split("\n")
        at = self.chance.randrange(len(lines))
        action = self.chance.choice(["delete", "move", "add", "join", "indent", "row"])
        if action == "add":
            lines.insert(at, " ".join(self.words(6)))
        elif action == "row":
            lines.insert(at, "| " + self.word() + " | " + self.word() + " |")
        elif action == "indent":
            lines[at] = "  " + lines[at]
        elif action == "join" and at + 1 < len(lines):
            lines[at : at + 2] = [lines[at] + " " + lines[at + 1]]
        else:
            line = lines.pop(at)
            if action == "move":
                lines.insert(self.chance.randrange(len(lines) + 1), line)
        return "\n".join(lines)

    def _in_blocks(self, text: str) -> str:
        """Delete, move, add or replace a block."""
        blocks = text.split("\n\n")
        at = self.chance.randrange(len(blocks))
        action = self.chance.choice(["delete", "move", "add", "replace", "column"])
        if action == "add":
            blocks.insert(at, self.block())
        elif action == "replace":
            blocks[at] = self.block()
        elif action == "column":
            blocks[at] = "\n".join(
                line + f" {self.word()} |" if line.endswith("|") else line for line in blocks[at].split("\n")
            )
        else:
            block = blocks.pop(at)
            if action == "move":
                blocks.insert(self.chance.randrange(len(blocks) + 1), block)
        return "\n\n".join(blocks)

    def _in_markup(self, text: str) -> str:
        """Put signs around some words, or fences around some lines, or take a sign away."""
        action = self.chance.choice(["signs", "signs", "fence", "strip", "matter", "label"])
        if action == "matter":
            return "---\ntitle: x\n---\n\n" + text
        if action == "label":
            return text + f"\n[{self.chance.choice(['ref', '^1', '^2'])}]: {self.word()}\n"
        if action == "fence":
            lines = text.split("\n")
            start, end = sorted(self.chance.randrange(len(lines) + 1) for _ in range(2))
            return "\n".join([*lines[:start], "```", *lines[start:end], "```", *lines[end:]])
        places = [match.start() for match in re.finditer(r"\b\w", text)]
        start = self.chance.choice(places)
        if action == "strip":
            signs = list(re.finditer(r"\*\*|`|```\n|\||\[|\]|\[\^1\]|- ", text))
            if signs:
                sign = self.chance.choice(signs)
                return text[: sign.start()] + text[sign.end() :]
        ends = [match.end() for match in re.finditer(r"\w\b", text) if start < match.end() < start + 80]
        end = self.chance.choice(ends or [start])
        left, right = self.chance.choice(
            [("**", "**"), ("[", "](y.md)"), ("`", "`"), ("~~", "~~"), ("_", "_")]
        )
        return text[:start] + left + text[start:end] + right + text[end:]


def drawn(seed: int) -> tuple[str, str, str]:
    """A document and what two people made of it; the same for the same seed."""
    chance = random.Random(seed)
    unique = chance.random() < 0.6
    base = Writer(chance, "w", unique=unique).text(chance.randint(1, 7))
    yours = Writer(chance, "mine", unique=unique).edited(base, chance.choice([1, 1, 2, 3, 5]))
    current = Writer(chance, "theirs", unique=unique).edited(base, chance.choice([1, 1, 2, 3, 5]))
    return base, yours, current
