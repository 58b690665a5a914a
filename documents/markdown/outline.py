"""The outline of a Markdown text, found line by line: linear in its length, whatever the text holds."""

from __future__ import annotations

import re
from collections.abc import Iterator

from documents.limits import TITLE_LENGTH

_MAX_HEADING = 2_000

_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
_ATX = re.compile(r" {0,3}(#{1,6})(?:[ \t]+|$)")
_SETEXT = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_HEADING_STARTS = frozenset(" #=-")
_BLOCK_START = re.compile(r" {0,3}(?:>|[-+*][ \t]|\d{1,9}[.)][ \t])|\t| {4}")
_CLOSING_HASHES = re.compile(r"(?:^|[ \t]+)#+[ \t]*$")
_FRONT_TITLE = re.compile(r"title[ \t]*:[ \t]*(.+)$")

_IMAGE_OR_LINK = re.compile(
    r"!?\[([^\[\]]{0,500})\](?:\([^()\s]{0,2000}(?:[ \t]+\"[^\"]{0,500}\")?\)|\[[^\[\]]{0,500}\])"
)
_TAG = re.compile(r"</?[A-Za-z][^<>]{0,500}>")
_MARKS = re.compile(r"(?<!\\)(?:`+|\*+|~~|(?<!\w)_+|_+(?!\w))")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")


def headings_of(text: str) -> list[str]:
    """All headings outside code blocks and front matter, as they read (CommonMark 0.31, 4.2 and 4.3)."""
    return [inline_text(raw) for raw in _raw_headings(text)]


def title_of(text: str) -> str | None:
    """The title that the text gives itself: of its front matter, else its first heading, else None."""
    title = _front_title(text)
    if not title:
        title = next((shown for raw in _raw_headings(text) if (shown := inline_text(raw))), None)
    return title[:TITLE_LENGTH].strip() if title else None


def inline_text(markdown: str) -> str:
    """One line of Markdown as a reader sees it: link texts for links, no marks, single spaces."""
    shown = _IMAGE_OR_LINK.sub(r"\1", markdown[:_MAX_HEADING])
    shown = _outside_code(shown)
    return " ".join(shown.split())


def lines_outside_code(text: str) -> Iterator[tuple[int, str]]:
    """Number and text of each line that stands neither in front matter nor in a fenced code block."""
    fence = ""
    first, fenced = _front_matter_end(text), "```" in text or "~~~" in text
    for number, line in enumerate(text.splitlines()):
        if number < first:
            continue
        mark = _FENCE.match(line) if fenced else None
        if fence:
            if mark and mark[1].startswith(fence) and not line[mark.end() :].strip():
                fence = ""
        elif mark and not ("`" in mark[1] and "`" in line[mark.end() :]):
            fence = mark[1]
        else:
            yield number, line


def _raw_headings(text: str) -> Iterator[str]:
    previous, previous_number = "", -2
    for number, line in lines_outside_code(text):
        # Expressions take longer than all else here, and hardly any line needs one.
        special = line[:1] in _HEADING_STARTS
        atx = _ATX.match(line) if special else None
        if atx:
            yield _CLOSING_HASHES.sub("", line[atx.end() : atx.end() + _MAX_HEADING])
            previous = ""
            continue
        # Only a paragraph's line can be underlined; a list item or quote above dashes is none.
        if (
            special
            and _SETEXT.match(line)
            and previous.strip()
            and previous_number == number - 1
            and not _BLOCK_START.match(previous)
        ):
            yield previous.strip()
            previous = ""
            continue
        previous, previous_number = line, number


def _outside_code(text: str) -> str:
    # Split at backticks: every second part is code, where a star is a star and `<T>` no tag.
    parts = text.split("`")
    if len(parts) % 2 == 0:
        parts[-2:] = [parts[-2] + parts[-1]]
    for index in range(0, len(parts), 2):
        parts[index] = _ESCAPE.sub(r"\1", _MARKS.sub("", _TAG.sub("", parts[index])))
    return "".join(parts)


def _front_matter_end(text: str) -> int:
    """The number of lines of a YAML front matter, 0 where the text has none."""
    if not text.startswith("---"):
        return 0
    lines = text[:100_000].splitlines()
    if lines[0].rstrip() != "---":
        return 0
    return next((n + 1 for n, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "...")), 0)


def _front_title(text: str) -> str | None:
    end = _front_matter_end(text)
    for line in text[:100_000].splitlines()[1:end] if end else ():
        if match := _FRONT_TITLE.match(line):
            return match[1].strip().strip("\"'").strip() or None
    return None
