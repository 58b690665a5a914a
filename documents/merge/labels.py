"""The check that links and footnotes of a merge still find what they name.

`[text][label]` and `[^1]` stand far from `[label]: …`: one side may use what the other takes out, and both
may give the same name to different things.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from documents.merge.fences import outside_fences
from documents.merge.segments import Lines, Outcome, Segment, Texts
from documents.merge.structure import front_matters

# A footnote's text is free, and it may stand right below a sentence.
_NOTE = re.compile(r"[ >]{0,8}\[(\^[^\[\]\s]{1,200})\]:")
# A link's address stands alone or with a title, in angle brackets where it has spaces, or on the next line.
_LINK = re.compile(r"""[ >]{0,8}\[((?!\^)[^\[\]]{1,200})\]:\s*(?:(?:<[^<>]*>|[^\s<]\S*)\s*(?:["'(].*)?)?$""")
# A line or what underlines a heading.
_RULE = re.compile(r" {0,3}(?:=+|-+|(?:[*_-][ \t]*){3,})\s*$")
_RULE_BEGINS = frozenset("=-*_ ")
_USE = re.compile(r"\[([^\[\]\n]{1,200})\]")


def mislabelled(texts: Texts, segments: Sequence[Segment]) -> frozenset[int]:
    """The indexes of the changed segments that hold a label which the merge leaves hanging or redefines."""
    if not any("]:" in line for lines in (texts.yours, texts.current) for line in lines):
        return frozenset()
    merged = _Labels([line for segment in segments for line in segment.merged(texts)])
    wrong = _wrong(merged, _Labels(texts.yours), _Labels(texts.current))
    return frozenset(_holders(texts, segments, wrong)) if wrong else frozenset()


def clash(result: str, yours: str, current: str) -> bool:
    """Whether a text made of two others names two things alike, loses a name or has front matter twice.

    For what was not put together line by line, so that no line tells which of them it is from.
    """
    lines, *sides = (text.split("\n") for text in (result, yours, current))
    if front_matters(lines) > max(map(front_matters, sides)):
        return True
    return "]:" in yours + current and bool(_wrong(*map(_Labels, (lines, *sides))))


class _Labels:
    """How often a text uses and defines each label, and its first definition: that one counts."""

    def __init__(self, lines: Lines) -> None:
        self.used: Counter[str] = Counter()
        self.defined: Counter[str] = Counter()
        self.first: dict[str, str] = {}
        # The definition of a link can't break into a paragraph, and within a fence none is one.
        may_begin = True
        for line in outside_fences(lines):
            if "[" not in line:
                may_begin = not line.strip() or _ends_paragraph(line)
                continue
            match = _NOTE.match(line) or (_LINK.match(line) if may_begin else None)
            may_begin = bool(match) or _ends_paragraph(line)
            if match:
                name = _name(match[1])
                self.defined[name] += 1
                self.first.setdefault(name, line)
            self.used.update(map(_name, _USE.findall(line, match.end() if match else 0)))


def _ends_paragraph(line: str) -> bool:
    return line.startswith("#") or (line[:1] in _RULE_BEGINS and bool(_RULE.match(line)))


def _wrong(merged: _Labels, *sides: _Labels) -> set[str]:
    wrong: set[str] = set()
    for name, count in merged.defined.items():
        if count > max(side.defined[name] for side in sides) or merged.first[name] not in {
            side.first.get(name) for side in sides
        }:
            wrong.add(name)
    # What a side left hanging itself is its own affair.
    wrong |= {
        name
        for name in merged.used.keys() - merged.defined.keys()
        if any(name in side.defined for side in sides)
        and merged.used[name]
        > max((side.used[name] for side in sides if name not in side.defined), default=0)
    }
    return wrong


def _name(label: str) -> str:
    """A label as it is compared: letters' case and the width of white space don't matter."""
    return " ".join(label.casefold().split())


def _holders(texts: Texts, segments: Sequence[Segment], wrong: set[str]) -> Iterator[int]:
    """The changed segments that name one of the labels; all changed ones where none does."""
    changed = [index for index, segment in enumerate(segments) if segment.outcome is not Outcome.SHARED]
    naming = [
        index
        for index in changed
        if any(
            _name(match) in wrong
            for lines in _sides(texts, segments[index])
            for line in lines
            for match in _USE.findall(line)
        )
    ]
    yield from naming or changed


def _sides(texts: Texts, segment: Segment) -> tuple[Lines, Lines, Lines]:
    return texts.base[segment.base], texts.yours[segment.yours], texts.current[segment.current]
