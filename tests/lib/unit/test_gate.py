"""The strict JSON reader."""

from __future__ import annotations

import io
import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscribe.lib.errors import BodyTooLarge, MalformedBody, UnsupportedMedia
from cloudscribe.lib.gate import MAX_DEPTH, StrictJSONParser, parse_json, read_limited

TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"))
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@given(VALUES)
def test_parse_json_gives_what_the_standard_library_gives(value: object) -> None:
    """Whatever is good JSON is read as itself."""
    assert parse_json(json.dumps(value).encode()) == value


@pytest.mark.parametrize("body", [b"", b"  \n"])
def test_parse_json_takes_an_empty_body_for_an_empty_object(body: bytes) -> None:
    """Actions without input may be called without a body."""
    assert parse_json(body) == {}


@pytest.mark.parametrize(
    ("body", "word"),
    [
        (b"{", "line 1"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": {"b": 1, "b": 1}}', "twice"),
        (b"[NaN]", "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e400]", "64 bits"),
        (b"[9223372036854775808]", "64 bits"),
        (b"[" + b"9" * 5000 + b"]", "64 bits"),
        (b'["\\u0000"]', "U+0000"),
        (b'{"\\u0000": 1}', "U+0000"),
        (b'["\x00"]', "control"),
        (b'["\\ud800"]', "surrogate"),
        (b'["\\udc00\\ud800"]', "surrogate"),
        (b'["\xff"]', "UTF-8"),
        (b"\xef\xbb\xbf{}", "line 1"),
        (b'{"a": 1} {"b": 2}', "Extra"),
        (b"[" * 5000, "deeper"),
        (b'{"a":' * 5000, "deeper"),
        (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "deeper"),
    ],
)
def test_parse_json_refuses_what_could_fail_later(body: bytes, word: str) -> None:
    """Each is a 400 that says what is wrong, and none reaches a service."""
    with pytest.raises(MalformedBody) as refusal:
        parse_json(body)
    assert word in refusal.value.message


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'["\\\\u0000"]', ["\\u0000"]),
        (b'["\\ud83d\\ude00"]', ["\N{GRINNING FACE}"]),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, None),
        (b'["' + b"[" * 500 + b'"]', ["[" * 500]),
        (b'["\\"' + b"{" * 500 + b'"]', ['"' + "{" * 500]),
    ],
)
def test_parse_json_takes_what_only_looks_forbidden(body: bytes, value: object) -> None:
    """Escaped backslashes, whole pairs, brackets in text and the deepest allowed nesting are fine."""
    assert value is None or parse_json(body) == value


@pytest.mark.parametrize(
    "body", [b'"' * 1_000_000, b'\\"' * 500_000, b'["' + b'\\"' * 500_000, b"[" * 1_000_000]
)
def test_parse_json_answers_hostile_bodies_in_linear_time(body: bytes) -> None:
    """A megabyte made to keep the scanner busy is refused at once."""
    started = time.process_time()
    with pytest.raises(MalformedBody):
        parse_json(body + b"[" * 60)
    assert time.process_time() - started < 2


def test_read_limited_refuses_one_byte_too_many() -> None:
    """The limit itself is allowed, and what is beyond it is not read."""
    assert read_limited(io.BytesIO(b"x" * 10), 10) == b"x" * 10
    with pytest.raises(BodyTooLarge) as refusal:
        read_limited(io.BytesIO(b"x" * 11), 10)
    assert refusal.value.extra == {"limit": 10}


@pytest.mark.parametrize("charset", ["latin-1", "utf-16", "utf8x"])
def test_parser_refuses_other_charsets(charset: str) -> None:
    """JSON is UTF-8 (RFC 8259, section 8.1)."""
    with pytest.raises(UnsupportedMedia):
        StrictJSONParser().parse(io.BytesIO(b"{}"), f"application/json; charset={charset}", {})


@pytest.mark.parametrize("media_type", ["application/json", "application/json; charset=UTF-8"])
def test_parser_reads_utf8(media_type: str) -> None:
    """With and without the charset spelled out."""
    assert StrictJSONParser().parse(io.BytesIO('{"a": "é"}'.encode()), media_type, {}) == {"a": "é"}
