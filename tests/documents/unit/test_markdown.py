"""What is read out of Markdown texts."""

from __future__ import annotations

import contextlib
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.markdown import (
    LinkKind,
    TooComplex,
    headings_of,
    inline_text,
    links_of,
    rewrite_links,
    searchable_text,
    snippet_text,
    title_of,
)

MARKDOWN = st.text(alphabet="ab #*_`[]()<>!|-=~\\\n\t&:\"'0é漢", max_size=300)


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("# One\n\ntext", "One"),
        ("text first\n\n## Two ##\n", "Two"),
        ("Three\n=====\n", "Three"),
        ("---\ntitle: 'Four'\n---\n# Other", "Four"),
        ("---\ntags: x\n---\n# Five", "Five"),
        ("```\n# code\n```\n# Six", "Six"),
        ("~~~ md\n# code\n```\n~~~\n# Seven", "Seven"),
        ("# The `match<T>` *Construct* [here](x.md)", "The match<T> Construct here"),
        ("- item\n---\n# Eight", "Eight"),
        ("# \n# Nine", "Nine"),
        ("no heading", None),
        ("", None),
        ("#hashtag\n", None),
    ],
)
def test_title_is_front_matter_or_first_heading(text: str, title: str | None) -> None:
    """The title is that of the front matter, else the first heading outside code, as it reads."""
    assert title_of(text) == title


def test_title_is_cut_to_what_a_document_takes() -> None:
    """A heading of any length gives a title of 500 characters at most."""
    assert len(title_of("# " + "long " * 1_000) or "") <= 500


def test_headings_are_of_both_forms_and_read_as_prose() -> None:
    """Hashes and underlines make headings; marks, code and front matter don't show."""
    text = "---\n# no\n---\n# What's `new`?\n\nSub\n---\n\n```\n# no\n```\n"
    assert headings_of(text) == ["What's new?", "Sub"]


@pytest.mark.parametrize(
    ("text", "targets"),
    [
        ("[a](b.md)", ["b.md"]),
        ('[a](b.md "title")', ["b.md"]),
        ("[a](<b c.md>)", ["b c.md"]),
        ("`[a](b.md)` [a](b.md)", ["b.md"]),
        ("[a][r]\n\n[r]: b.md 'x'", ["b.md"]),
        ("> quoted [a](\n> b.md)", ["b.md"]),
        ("- item\n\n  [a](b.md)", ["b.md"]),
        ("| x | y |\n|---|---|\n| [a](b.md) | [a](b.md) |", ["b.md", "b.md"]),
        ("## [a](b.md) ##", ["b.md"]),
        ("[![alt [x](n.md)](i.png)](b.md)", ["i.png", "b.md"]),
        ("```\n[a](b.md)\n```", []),
        ("    [a](b.md)", []),
        (r"\[a](b.md)", []),
        ("[a](b (c).md)", []),
        ("[a](b\\(c.md)", ["b\\(c.md"]),
        ("line\r\n[a](b.md)\r\n", ["b.md"]),
    ],
)
def test_links_are_found_where_the_parser_sees_them(text: str, targets: list[str]) -> None:
    """A link's span holds its target exactly as it is written."""
    found = links_of(text)
    assert [link.target for link in found] == targets
    assert [text[link.start : link.end] for link in found] == targets


def test_rewriting_changes_targets_and_nothing_else() -> None:
    """The same characters in code or prose stay."""
    text = "`[a](b.md)` b.md [a](b.md#x 'b.md') ![i](b.md)\n\n[b.md]: b.md\n"
    changed = rewrite_links(text, lambda link: None if link.kind is LinkKind.IMAGE else "cs://1")
    assert changed == "`[a](b.md)` b.md [a](cs://1 'b.md') ![i](b.md)\n\n[b.md]: cs://1\n"


@given(MARKDOWN)
def test_rewriting_to_the_same_target_keeps_the_text(text: str) -> None:
    """Whatever the text, putting back each target gives the same bytes."""
    assert rewrite_links(text, lambda link: link.target) == text


@given(MARKDOWN)
def test_reading_never_fails(text: str) -> None:
    """No text makes the readers of titles, headings and plain text fail."""
    title_of(text)
    headings_of(text)
    inline_text(text)
    searchable_text(text)
    snippet_text(text)


@pytest.mark.parametrize(
    "piece", ["[", "![", "<", "`", "[a](b) ", "> ", "*a ", "# ", "[a]: b\n", "a\n===\n", "![a]("]
)
def test_hostile_text_costs_no_time(piece: str) -> None:
    """A hundred thousand characters of anything are read or refused within seconds, not minutes."""
    text = piece * (100_000 // len(piece))
    began = time.process_time()
    with contextlib.suppress(TooComplex):
        links_of(text)
    title_of(text)
    headings_of(text)
    searchable_text(text)
    assert time.process_time() - began < 5


def test_addresses_are_not_searchable() -> None:
    """Words of a link's address, of a definition or an autolink are not found; its text is."""
    text = "see [the text](https://hidden.example/secret) <https://auto.example>\n\n[ref]: defined.md\n"
    found = searchable_text(text)
    assert "the text" in found
    assert not any(word in found for word in ("hidden", "secret", "auto.example", "defined"))


def test_snippets_read_as_prose() -> None:
    """Marks of headings, lists, links and code are left out."""
    assert snippet_text("## Head\n- **bold** `code` [text](a.md)\n> quote") == "Head bold code text quote"
