"""Cursors of keyset pages as text, and the cutting of a page: plain functions, for lists of every make.

A cursor is opaque to clients. It carries the sort values of the row at the page's edge and a short hash
of the ordering and the filters that it was made under; one from elsewhere is refused instead of giving a
page that means nothing. Its values only ever become bound parameters, so there is nothing to sign.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import datetime as dt
import hashlib
import json
import math
import uuid
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Generic, TypeVar

from cloudscribe.lib.errors import DomainError, FieldError

Row = TypeVar("Row")
Values = tuple[Any, ...]

_LONGEST = 2_000


class InvalidCursor(DomainError):
    """A cursor that this list didn't make, or made under another ordering or other filters."""

    code = "invalid_cursor"
    title = "The cursor is not usable"
    detail = "Take cursors from `next` and `previous` as they are, with the same filters and ordering."

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("?cursor", self.code, self.detail)])


@dataclasses.dataclass(frozen=True, slots=True)
class Cursor:
    """The edge that a page starts at: the sort values of the row beside it, and whether to go backwards."""

    values: Values
    reverse: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """The rows of one page in the list's order, and the edges of its neighbours; None where there is none."""

    rows: list[Row]
    next: Cursor | None
    previous: Cursor | None


def binding(parameters: Iterable[tuple[str, Any]], ordering: str = "") -> str:
    """The short hash that ties a cursor to its ordering and filters (query parameters but paging's own)."""
    relevant = sorted(pair for pair in parameters if pair[0] not in {"cursor", "page_size"})
    text = json.dumps([ordering, relevant], separators=(",", ":"))
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def encode_cursor(
    values: Sequence[Any],
    reverse: bool = False,  # noqa: FBT001, FBT002 (the one word that a cursor adds)
    *,
    bound: str = "",
) -> str:
    """The cursor of a row's sort values as text; `bound` as `binding` gives it."""
    data = [bound, int(reverse), *(_outward(value) for value in values)]
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(text: str, types: Sequence[type], *, bound: str = "") -> Cursor:
    """The inverse of `encode_cursor`, each value of the type given (datetime, int, str, UUID, float, bool).

    Raises InvalidCursor for whatever else a client may send.
    """
    if len(text) > _LONGEST or not text.isascii():
        raise InvalidCursor
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        data = json.loads(raw.decode())
    except (ValueError, RecursionError, binascii.Error):
        raise InvalidCursor from None
    if not isinstance(data, list) or len(data) != len(types) + 2:
        raise InvalidCursor
    made_for, reverse, *values = data
    if made_for != bound or reverse not in (0, 1):
        raise InvalidCursor
    return Cursor(
        tuple(_inward(value, kind) for value, kind in zip(values, types, strict=True)), bool(reverse)
    )


def cut_page(
    rows: list[Row], size: int, cursor: Cursor | None, values_of: Callable[[Row], Values]
) -> Page[Row]:
    """Make a page of up to `size + 1` rows, fetched in the direction of `cursor`; the last tells of more."""
    more = len(rows) > size
    rows = rows[:size]
    backwards = cursor is not None and cursor.reverse
    if backwards:
        rows.reverse()
    if not rows:
        return Page(rows, None, None)
    has_next = backwards or more
    has_previous = more if backwards else cursor is not None
    return Page(
        rows,
        Cursor(values_of(rows[-1])) if has_next else None,
        Cursor(values_of(rows[0]), reverse=True) if has_previous else None,
    )


def _outward(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.isoformat()
    return str(value) if isinstance(value, uuid.UUID) else value


def _inward(value: Any, kind: type) -> Any:
    try:
        return _PARSERS[kind](value)
    except (ValueError, TypeError, AttributeError, OverflowError):
        raise InvalidCursor from None


def _time(value: Any) -> dt.datetime:
    time = dt.datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError("no offset")
    return time.astimezone(dt.UTC)


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not -(2**63) <= value < 2**63:
        raise ValueError("no 64 bit number")
    return value


def _real(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("no number")
    return float(value)


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError("no text")
    value.encode()  # a lone surrogate, which PostgreSQL would refuse, fails here
    return value


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError("no boolean")
    return value


_PARSERS: dict[type, Callable[[Any], Any]] = {
    bool: _truth,
    dt.datetime: _time,
    float: _real,
    int: _integer,
    str: _text,
    uuid.UUID: uuid.UUID,
}
