"""A body as plain text: what its HTML shows, line by line, without the signs of Markdown. Pure."""

from __future__ import annotations

from html.parser import HTMLParser

# Before and after them an empty line stands.
_BLOCKS = frozenset({"blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "p", "pre", "section", "table"})
_LISTS = frozenset({"ol", "ul"})
# Deeper lists are read and set in no further: else a text could grow with the square of its length.
_DEEPEST = 20
_STEP = "  "


def plain_text(html: str) -> str:
    """What clean HTML of ours shows: blocks with an empty line between them, items with a dash or a number.

    Cells of a table are parted by tabs; of links and pictures the words are left. Linear in the length.
    """
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return reader.text()


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._lines: list[str] = []
        self._line: list[str] = []
        self._gap = False
        # Of each list that is open: the number of its next item, None for bullets.
        self._lists: list[int | None] = []
        self._marker = ""
        self._in_code = False
        self._unread = False
        self._in_row = False
        self._cells = 0

    def text(self) -> str:
        """All that was read."""
        self._end_line()
        return "\n".join(self._lines) + "\n" if self._lines else ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A block begins, or something stands in a line."""
        values = dict(attrs)
        if tag in _BLOCKS:
            self._end_block()
            self._in_code = tag == "pre"
        elif tag in _LISTS:
            self._begin_list(tag, values.get("start"))
        elif tag == "li":
            self._begin_item()
        elif tag == "br":
            self._end_line()
        elif tag == "tr":
            self._end_line()
            self._cells, self._in_row = 0, True
        elif tag in {"td", "th"}:
            self._line.append("\t" if self._cells else "")
            self._cells += 1
        elif tag == "img":
            self._line.append(values.get("alt") or "")
        elif tag == "input":
            self._line.append("[x]" if "checked" in values else "[ ]")
        elif tag == "a":
            self._unread = "footnote-backref" in (values.get("class") or "")

    def handle_endtag(self, tag: str) -> None:
        """A block ends."""
        if tag in _BLOCKS:
            self._end_block()
            self._in_code = False
        elif tag in _LISTS:
            self._end_line()
            del self._lists[-1:]
            self._gap |= not self._lists
        elif tag == "li":
            self._end_line(even_empty=bool(self._marker))
        elif tag == "tr":
            self._end_line()
            self._in_row = False
        elif tag == "a":
            self._unread = False

    def handle_data(self, data: str) -> None:
        """What stands in a line, or the ends of some."""
        if self._unread:
            return
        if self._in_row:
            # The line ends between cells are the HTML's own.
            self._line.append(data.replace("\n", ""))
            return
        first, *rest = data.split("\n")
        self._line.append(first)
        for piece in rest:
            self._end_line(even_empty=self._in_code)
            self._line.append(piece)

    def _begin_list(self, tag: str, start: str | None) -> None:
        self._end_line()
        self._gap |= not self._lists
        number = int(start) if start and start.isdecimal() else 1
        self._lists.append(number if tag == "ol" else None)

    def _begin_item(self) -> None:
        self._end_line()
        number = self._lists[-1] if self._lists else None
        self._marker = "- " if number is None else f"{number}. "
        if number is not None:
            self._lists[-1] = number + 1

    def _end_block(self) -> None:
        self._end_line()
        self._gap = True

    def _end_line(self, *, even_empty: bool = False) -> None:
        line = "".join(self._line)
        self._line.clear()
        # Spaces at the ends are code's own; elsewhere they stand between tags. Tabs part cells.
        line = line.rstrip() if self._in_code else line.strip(" ")
        if not line and not even_empty:
            return
        if self._gap and self._lines:
            self._lines.append("")
        depth = min(len(self._lists), _DEEPEST)
        indent = _STEP * (depth - 1 if self._marker else depth)
        self._lines.append((indent + self._marker + line).rstrip())
        self._marker, self._gap = "", False
