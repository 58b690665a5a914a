"""Small edits of a text: where they land, what they leave alone, when they are refused."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from documents import limits
from documents.exceptions import OperationNotApplicable
from documents.operations import Op, Operation, operated

_PARSER = MarkdownIt("commonmark")


def done(text: str, *operations: dict[str, Any], max_bytes: int = limits.BODY_BYTES) -> str:
    """The text after the operations."""
    made = [Operation(**{**one, "op": Op(one["op"])}) for one in operations]
    return operated(text, made, max_bytes=max_bytes)


def appended(text: str, more: str) -> str:
    """The text with more behind it."""
    return done(text, {"op": "append", "text": more})


def prepended(text: str, more: str) -> str:
    """The text with more before it."""
    return done(text, {"op": "prepend", "text": more})


def replaced(text: str, find: str, by: str, count: int = 1) -> str:
    """The text with something else in place of what is found."""
    return done(text, {"op": "replace", "text": by, "find": find, "count": count})


def inserted(text: str, heading: str, more: str = "new") -> str:
    """The text with more below the heading."""
    return done(text, {"op": "insert_after_heading", "text": more, "heading": heading})


def refusal(text: str, *operations: dict[str, Any], max_bytes: int = limits.BODY_BYTES) -> Any:
    """Pointer, code and counts of the refusal."""
    with pytest.raises(OperationNotApplicable) as caught:
        done(text, *operations, max_bytes=max_bytes)
    [fault] = caught.value.errors
    return fault.pointer, fault.code, caught.value.extra


@pytest.mark.parametrize(
    ("text", "more", "outcome"),
    [
        ("", "a", "a"),
        ("a\n", "b\n", "a\nb\n"),
        ("a", "b", "a\nb"),
        ("a", "\nb", "a\nb"),
        ("a\r\nb", "c", "a\r\nb\r\nc"),
        ("a\rb", "c", "a\rb\rc"),
        ("a\r\n", "b\n", "a\r\nb\n"),
        ("a\n\n", "b", "a\n\nb"),
    ],
)
def test_append(text: str, more: str, outcome: str) -> None:
    """Begins a new line, ended as the text ends its lines; what was sent stays as it was sent."""
    assert appended(text, more) == outcome


@pytest.mark.parametrize(
    ("text", "more", "outcome"),
    [
        ("", "a", "a"),
        ("a\n", "b", "b\na\n"),
        ("a\n", "b\n", "b\na\n"),
        ("\na", "b", "b\na"),
        ("a\r\nb", "c", "c\r\na\r\nb"),
        ("\ufeffa\n", "b", "\ufeffb\na\n"),
        ("---\ntitle: x\n---\na\n", "b\n", "---\ntitle: x\n---\nb\na\n"),
        ("---\r\ntitle: x\r\n...", "b", "---\r\ntitle: x\r\n...\r\nb"),
        ("---\n\na\n\n---\n", "b\n", "b\n---\n\na\n\n---\n"),
    ],
)
def test_prepend(text: str, more: str, outcome: str) -> None:
    """Before all but a byte order mark and front matter; a rule at the top is no front matter."""
    assert prepended(text, more) == outcome


def test_replace() -> None:
    """Each of just so many, letter by letter; nothing is a pattern."""
    assert replaced("a.c abc", "a.c", "x") == "x abc"
    assert replaced("a b a", "a", "aa", count=2) == "aa b aa"
    assert replaced("a\r\nb", "\r\n", "") == "ab"
    assert replaced("a", "a", "\\1") == "\\1"


def test_replace_what_is_there_otherwise() -> None:
    """Neither less often nor more often, and the answer tells how often."""
    one = {"op": "replace", "text": "x", "find": "a"}
    assert refusal("b", one) == ("/operations/0/find", "not_found", {"found": 0, "expected": 1})
    assert refusal("a a", one) == ("/operations/0/find", "wrong_count", {"found": 2, "expected": 1})
    assert refusal("a", {**one, "count": 2}) == (
        "/operations/0/find",
        "wrong_count",
        {"found": 1, "expected": 2},
    )


def test_operations_in_their_order() -> None:
    """Each on what the one before has left; the first that doesn't fit is pointed at."""
    first = {"op": "append", "text": "## New"}
    assert done("a\n", first, {"op": "insert_after_heading", "heading": "New", "text": "b"}) == (
        "a\n## New\n\nb\n"
    )
    again = {"op": "replace", "find": "a", "text": "b"}
    assert refusal("a", again, again)[0] == "/operations/1/find"


@pytest.mark.parametrize(
    ("text", "outcome"),
    [
        ("# A\n\nold\n", "# A\n\nnew\n\nold\n"),
        ("# A\n\n\nold\n", "# A\n\nnew\n\nold\n"),
        ("# A\nold\n", "# A\n\nnew\n\nold\n"),
        ("# A\n", "# A\n\nnew\n"),
        ("# A", "# A\n\nnew\n"),
        ("# A #\n", "# A #\n\nnew\n"),
        ("#\tA\n", "#\tA\n\nnew\n"),
        ("A\n===\nold\n", "A\n===\n\nnew\n\nold\n"),
        ("old\n\nA\n--\n", "old\n\nA\n--\n\nnew\n"),
        ("# A\r\n\r\nold\r\n", "# A\r\n\r\nnew\r\n\r\nold\r\n"),
        ("# A\r\rold", "# A\r\rnew\r\rold"),
        ("\ufeff# A\n", "\ufeff# A\n\nnew\n"),
        ("# B\n\n# A\n# C\n", "# B\n\n# A\n\nnew\n\n# C\n"),
        ("---\nA: x\n---\n# A\n", "---\nA: x\n---\n# A\n\nnew\n"),
        ("```\n# A\n```\n# A\n", "```\n# A\n```\n# A\n\nnew\n"),
        ("~~~~\n# A\n~~~\n# A\n~~~~\n# A\n", "~~~~\n# A\n~~~\n# A\n~~~~\n# A\n\nnew\n"),
        ("- ```\n  # A\n  ```\n\n# A\n", "- ```\n  # A\n  ```\n\n# A\n\nnew\n"),
        ("    # A\n\n# A\n", "    # A\n\n# A\n\nnew\n"),
        ("> # A\n\n# A\n", "> # A\n\n# A\n\nnew\n"),
        ("- # A\n\n# A\n", "- # A\n\n# A\n\nnew\n"),
        ("- ```\n# A\n", "- ```\n# A\n\nnew\n"),
        ("- B\n\n  # A\n\n# A\n", "- B\n\n  # A\n\n# A\n\nnew\n"),
        ("- A\n---\n\n# A\n", "- A\n---\n\n# A\n\nnew\n"),
    ],
)
def test_insert_right_below_the_heading(text: str, outcome: str) -> None:
    """With an empty line around it; code, quotes and lists hold no heading that is meant."""
    assert inserted(text, "A") == outcome


@pytest.mark.parametrize(
    ("text", "more", "outcome"),
    [
        ("# A\n\n- b\n", "- a", "# A\n\n- a\n- b\n"),
        ("# A\n\n- b\n", "* a", "# A\n\n* a\n\n- b\n"),
        ("# A\n\n2. b\n", "1. a\n", "# A\n\n1. a\n2. b\n"),
        ("# A\n\nb\n", "a\n\n", "# A\n\na\n\nb\n"),
        ("# A\nb\n", "\na\n", "# A\n\na\n\nb\n"),
    ],
)
def test_insert_into_what_stands_there(text: str, more: str, outcome: str) -> None:
    """An item on top of a list stays one of it; empty lines that were sent are not doubled."""
    assert inserted(text, "A", more) == outcome


@pytest.mark.parametrize(
    ("written", "named"),
    [
        ("## The *fine* `print`", "The fine print"),
        ("## The *fine* `print`", "The *fine* `print`"),
        ("## The *fine* `print`", "## The fine print"),
        ("## [Link](https://example.org)", "Link"),
        ("## a  b", "a b"),
        ("## C#", "C#"),
        ("## #hash", "#hash"),
        ("## A\\*", "A*"),
        ("Two\nlines\n---", "Two lines"),
        ("## A ##", "## A ##"),
    ],
)
def test_insert_names_a_heading_as_written_or_as_read(written: str, named: str) -> None:
    """With its level or without."""
    assert inserted(f"{written}\n", named) == f"{written}\n\nnew\n"


def test_insert_below_no_or_several_headings() -> None:
    """It must be the one; the level may tell which."""
    one = {"op": "insert_after_heading", "text": "x", "heading": "A"}
    assert refusal("A\n", one) == ("/operations/0/heading", "not_found", {"found": 0, "expected": 1})
    assert refusal("# A\n## A\n", one) == (
        "/operations/0/heading",
        "wrong_count",
        {"found": 2, "expected": 1},
    )
    assert inserted("# A\n## A\n", "## A") == "# A\n## A\n\nnew\n"
    assert refusal("## A\n", {**one, "heading": "# A"})[1] == "not_found"


def test_outcome_that_is_too_large() -> None:
    """Refused before it is made, in bytes and not in letters."""
    assert refusal("a" * 9, {"op": "append", "text": "b"}, max_bytes=10)[:2] == (
        "/operations/0/text",
        "too_large",
    )
    assert refusal("a", {"op": "replace", "find": "a", "text": "äää"}, max_bytes=5)[1] == "too_large"
    many = {"op": "replace", "find": "a", "count": 1_000_000, "text": "b" * 1_000_000}
    assert refusal("a" * 1_000_000, many)[:2] == ("/operations/0/text", "too_large")


_LINES = st.sampled_from(
    [
        *("# A", "## A", "A", "B", "===", "---", "--", "```", "````", "~~~", "``` x", "A `` b", "  A"),
        *("    # A", "> A", "***", "", "", "#", "#A", "\tA", "  # A"),
    ]
)


@settings(max_examples=300)
@given(st.lists(_LINES, max_size=12))
def test_headings_are_those_that_the_parser_finds(lines: list[str]) -> None:
    """By lines alone as many as by the whole grammar."""
    text = "\n".join(lines)
    tokens = _PARSER.parse(text)
    read = sum(
        token.type == "heading_open" and token.level == 0 and tokens[index + 1].content == "A"
        for index, token in enumerate(tokens)
    )
    operation = {"op": "insert_after_heading", "text": "x", "heading": "A"}
    if read == 1:
        assert done(text, operation) != text
    else:
        assert refusal(text, operation)[2]["found"] == read


@settings(max_examples=200)
@given(st.text("a#-`\n\r "), st.text("ab\n\r", min_size=1))
def test_ends_keep_every_byte_of_both(text: str, more: str) -> None:
    """What was there and what is sent stand in the outcome as they are, apart by one line end at most."""
    after, before = appended(text, more), prepended(text, more)
    assert after.startswith(text)
    assert after.endswith(more)
    assert before.endswith(text)
    assert more in before
    assert len(after) <= len(text) + len(more) + 2


def test_insert_that_looks_too_often_for_headings_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """By what all looks of the request have cost."""
    operation = {"op": "insert_after_heading", "text": "x", "heading": "A"}
    assert done("# A\n", operation, operation).count("x") == 2
    monkeypatch.setattr("documents.operations._MOST_EFFORT", 1)
    assert refusal("# A\n", operation)[:2] == ("/operations/0/heading", "too_complex")


@pytest.mark.parametrize(
    "text",
    [
        "#\n" * 1_000_000,
        "```\n" * 500_000,
        "a\n===\n" * 300_000,
        "- " * 1_000_000,
        "-" * 2_000_000,
        "# " + " #" * 1_000_000 + "x",
        "- -   " * 300_000 + "x\n---\n",
        "> a\n===\n" * 250_000,
        "a" * 2_000_000 + "\n===\n",
        "\r" * 2_000_000,
        "---\na: b\n" + "x: y\n" * 300_000,
        ("# abc *d* " + "`x` " * 20 + "\n") * 20_000,
    ],
    ids=lambda text: text[:6].encode("unicode_escape").decode(),
)
def test_insert_into_a_hostile_text_ends_soon(text: str) -> None:
    """However often it is asked for."""
    operations = [{"op": "insert_after_heading", "text": "x", "heading": "A"}] * limits.OPERATIONS
    text = text[: limits.BODY_BYTES - 10_000] + "\n\n# A\n"
    began = time.process_time()
    with suppress(OperationNotApplicable):
        done(text, *operations)
    assert time.process_time() - began < 4
