"""Cursors and the cutting of pages."""

from __future__ import annotations

import base64
import datetime as dt
import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscribe.lib.cursors import (
    Cursor,
    InvalidCursor,
    binding,
    cut_page,
    decode_cursor,
    encode_cursor,
)

TYPES = [dt.datetime, int, str, uuid.UUID, float, bool]


@given(
    st.datetimes(timezones=st.just(dt.UTC)),
    st.integers(-(2**63), 2**63 - 1),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=100),
    st.uuids(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.booleans(),
    st.booleans(),
)
def test_decode_cursor_gives_back_what_was_encoded(
    time: dt.datetime, number: int, text: str, uid: uuid.UUID, real: float, truth: bool, reverse: bool
) -> None:
    """Each type survives the way to the client and back."""
    values = (time, number, text, uid, real, truth)
    assert decode_cursor(encode_cursor(values, reverse, bound="x"), TYPES, bound="x") == Cursor(
        values, reverse
    )


def _raw(data: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "!!!",
        "é",
        "x" * 5_000,
        _raw({}),
        _raw(["b", 0]),
        _raw(["b", 0, 1, 2]),
        _raw(["other", 0, 1]),
        _raw(["b", 2, 1]),
        _raw(["b", [], 1]),
        _raw(["b", 0, "1"]),
        _raw(["b", 0, True]),
        _raw(["b", 0, 2**63]),
        _raw(["b", 0, None]),
        base64.urlsafe_b64encode(b"[" * 1_400).decode(),
        base64.urlsafe_b64encode(b"\xff").decode(),
    ],
)
def test_decode_cursor_refuses_what_it_did_not_make(text: str) -> None:
    """Whatever a client makes up is one 400."""
    with pytest.raises(InvalidCursor):
        decode_cursor(text, [int], bound="b")


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("2026-01-01T00:00:00", dt.datetime),
        ("0001-01-01T00:00:00+23:59", dt.datetime),
        (5, dt.datetime),
        ("a\0", str),
        ("\ud800", str),
        ("no", uuid.UUID),
        (float("nan"), float),
        (1, bool),
    ],
)
def test_decode_cursor_refuses_values_that_the_database_would(value: Any, kind: type) -> None:
    """A hostile value never reaches a statement."""
    with pytest.raises(InvalidCursor):
        decode_cursor(_raw(["", 0, value]), [kind])


@given(st.text())
def test_decode_cursor_raises_nothing_else(text: str) -> None:
    """No text gets anything but the refusal out of it."""
    with pytest.raises(InvalidCursor):
        decode_cursor(text, [int], bound="never")


def test_binding_ignores_paging_and_order_but_not_filters() -> None:
    """The next page may be of another size; it may not be of another list."""
    here = binding([("state", "draft"), ("tag", "a"), ("cursor", "x"), ("page_size", "5")], "-name")
    assert here == binding([("tag", "a"), ("state", "draft")], "-name")
    assert here != binding([("tag", "a"), ("state", "draft")], "name")
    assert here != binding([("tag", "b"), ("state", "draft")], "-name")


def _walk(numbers: list[int], size: int, cursor: Cursor | None) -> Any:
    if cursor is None:
        rows = numbers
    elif cursor.reverse:
        rows = [n for n in reversed(numbers) if n < cursor.values[0]]
    else:
        rows = [n for n in numbers if n > cursor.values[0]]
    return cut_page(rows[: size + 1], size, cursor, lambda row: (row,))


@given(st.lists(st.integers(), unique=True, max_size=30).map(sorted), st.integers(1, 7))
def test_cut_page_walks_forward_and_back_through_the_same_rows(numbers: list[int], size: int) -> None:
    """Going to the end and back meets each row once in each direction, and the same pages."""
    there, page = [], _walk(numbers, size, None)
    assert page.previous is None
    pages = [page.rows]
    while page.next:
        page = _walk(numbers, size, page.next)
        pages.append(page.rows)
    there = [row for rows in pages for row in rows]
    assert there == numbers
    back = [page.rows]
    while page.previous:
        page = _walk(numbers, size, page.previous)
        back.append(page.rows)
    assert list(reversed(back)) == pages
