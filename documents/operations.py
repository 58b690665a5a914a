"""Small edits of a Markdown text, told in words of the text: at its ends, below a heading, of what is found.

Pure: no Django, no database. `operated` is the door.
"""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from documents.anchors import CONTEXT, AnchorState, Move, Passage, Place
from documents.exceptions import OperationNotApplicable
from documents.headings import HeadingName, front_matter_end, headings_in

# Every look for a heading reads the whole text. So many letters may be read in all, lines with marks counting
# more: about a second for the worst of texts.
_MOST_EFFORT = 12_000_000

# So many passages are followed from the text that was read to that of now.
_MOST_FOLLOWED = 200

_LINE_END = re.compile(r"\r\n|\n|\r")
_ITEM = re.compile(r" {0,3}(?:([-+*])|\d{1,9}([.)]))(?:[ \t]|$)")


class Op(enum.StrEnum):
    """What an operation does."""

    APPEND = "append"
    INSERT_AFTER_HEADING = "insert_after_heading"
    PREPEND = "prepend"
    REPLACE = "replace"


@dataclasses.dataclass(frozen=True, slots=True)
class Operation:
    """One small edit with `text`; `find` and `count` are for REPLACE, `heading` for INSERT_AFTER_HEADING."""

    op: Op
    text: str
    find: str = ""
    count: int = 1
    heading: str = ""


def operated(text: str, operations: Sequence[Operation], *, max_bytes: int, read: str | None = None) -> str:
    """The text after all operations, each made on what the one before has left; every other byte stays.

    With `read`, the text that they were told of and of which others made this one, REPLACE is done only to
    the very passages that stood there. Raises OperationNotApplicable, which points at the first that can't be
    done or whose outcome has more than `max_bytes` of UTF-8.
    """
    if read is not None:
        _check_passages(read, text, operations)
    effort = _Effort()
    for index, operation in enumerate(operations):
        try:
            text = _MAKERS[operation.op](text, operation, max_bytes, effort)
            _check_size(len(text.encode()), max_bytes)
        except _Unfit as unfit:
            raise OperationNotApplicable(
                f"/operations/{index}/{unfit.field}", unfit.code, str(unfit), **unfit.counts
            ) from None
    return text


def _check_passages(read: str, text: str, operations: Sequence[Operation]) -> None:
    """Words that others wrote elsewhere may read like those that they replaced, and are theirs."""
    replaced = [(at, one) for at, one in enumerate(operations) if one.op is Op.REPLACE]
    left = _MOST_FOLLOWED
    for index, operation in replaced:
        left -= operation.count
        found = text.count(operation.find)
        if left < 0 or not found == operation.count == read.count(operation.find):
            raise _passage_gone(index)
    move = Move(read, text) if replaced else None
    for index, operation in replaced:
        if move and _followed(move, read, operation.find) != set(_places(text, operation.find)):
            raise _passage_gone(index)


def _passage_gone(index: int) -> OperationNotApplicable:
    return OperationNotApplicable(f"/operations/{index}/find", "not_found", "It stands there no more.")


def _followed(move: Move, read: str, find: str) -> set[int]:
    """Where the passages that read so have gone, of those that still do."""
    found = set()
    for start in _places(read, find):
        end = start + len(find)
        passage = Passage(find, read[max(0, start - CONTEXT) : start], read[end : end + CONTEXT])
        place = move.place(passage, Place(AnchorState.ANCHORED, start, end))
        if place.state is AnchorState.ANCHORED:
            found.add(place.start)
    return found


def _places(text: str, find: str) -> Iterator[int]:
    """Where `str.replace` would find it."""
    at = text.find(find)
    while at >= 0:
        yield at
        at = text.find(find, at + len(find))


class _Unfit(Exception):
    def __init__(self, code: str, field: str, detail: str, **counts: int) -> None:
        self.code, self.field, self.counts = code, field, counts
        super().__init__(detail)


class _Effort:
    """What the looks for headings of one request have cost."""

    def __init__(self) -> None:
        self._spent = 0

    def spend(self, more: int) -> None:
        """Count it in; raises _Unfit once it is too much."""
        self._spent += more
        if self._spent > _MOST_EFFORT:
            raise _Unfit("too_complex", "heading", "This text is too large to look for headings so often.")


def _check_size(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise _Unfit("too_large", "text", f"The text would be longer than {max_bytes:,} bytes.")


def _unfound(field: str, found: int, expected: int) -> _Unfit:
    code = "wrong_count" if found else "not_found"
    return _Unfit(
        code, field, f"It stands there {found:,} times, not {expected:,}.", found=found, expected=expected
    )


def _appended(text: str, operation: Operation, max_bytes: int, effort: _Effort) -> str:
    return _joined(text, operation.text)


def _prepended(text: str, operation: Operation, max_bytes: int, effort: _Effort) -> str:
    """Before all but a byte order mark and front matter, which are neither where they don't stand first."""
    start = front_matter_end(text) or int(text.startswith("\ufeff"))
    head, rest = text[:start], text[start:]
    above = head + operation.text if head == "\ufeff" else _joined(head, operation.text)
    return _joined(above, rest, line_end=_line_end(text))


def _replaced(text: str, operation: Operation, max_bytes: int, effort: _Effort) -> str:
    found = text.count(operation.find)
    if found != operation.count:
        raise _unfound("find", found, operation.count)
    # Before it is made: a letter that stands there a million times may be replaced by a megabyte.
    _check_size(len(text) + found * (len(operation.text) - len(operation.find)), max_bytes)
    return text.replace(operation.find, operation.text)


def _inserted(text: str, operation: Operation, max_bytes: int, effort: _Effort) -> str:
    """Right below the heading, with one empty line around it, but for none between items of one list."""
    name = HeadingName(operation.heading)
    ends = [heading.end for heading in headings_in(text, effort.spend) if name.is_of(heading)]
    if len(ends) != 1:
        raise _unfound("heading", len(ends), 1)
    line_end = _line_end(text)
    above, below = text[: ends[0]], text[ends[0] :]
    if not above.endswith(("\n", "\r")):
        above += line_end
    if blank := re.match(r"[ \t]*(?:\r\n|\n|\r)", below):
        above, below = above + blank[0], below[blank.end() :]
    elif not _is_blank(_first_line(operation.text)):
        above += line_end
    middle = operation.text if operation.text.endswith(("\n", "\r")) else operation.text + line_end
    if not (below == "" or _is_blank(_first_line(below)) or _is_blank(_last_line(middle))):
        middle += "" if _is_one_list(_last_line(middle), _first_line(below)) else line_end
    return above + middle + below


_MAKERS: Mapping[Op, Callable[[str, Operation, int, _Effort], str]] = {
    Op.APPEND: _appended,
    Op.INSERT_AFTER_HEADING: _inserted,
    Op.PREPEND: _prepended,
    Op.REPLACE: _replaced,
}


# --- lines ---
def _line_end(text: str) -> str:
    """How the text ends its lines: as it ends the first of them."""
    found = _LINE_END.search(text)
    return found[0] if found else "\n"


def _joined(above: str, below: str, line_end: str | None = None) -> str:
    """Both, with a line's end between them where neither has one."""
    if not above or not below or above.endswith(("\n", "\r")) or below.startswith(("\n", "\r")):
        return above + below
    return above + (line_end or _line_end(above)) + below


def _first_line(text: str) -> str:
    return _LINE_END.split(text, maxsplit=1)[0]


def _last_line(text: str) -> str:
    """The last line of a text that ends with a line's end."""
    body = text[:-2] if text.endswith("\r\n") else text[:-1]
    return body[max(body.rfind("\n"), body.rfind("\r")) + 1 :]


def _is_blank(line: str) -> bool:
    return not line.strip(" \t")


def _is_one_list(line: str, following: str) -> bool:
    above, below = _ITEM.match(line), _ITEM.match(following)
    return above is not None and below is not None and above.groups() == below.groups()
