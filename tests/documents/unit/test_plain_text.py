"""A body as plain text, by way of its HTML."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.plain_text import plain_text
from documents.rendering import render


@pytest.mark.parametrize(
    ("markdown", "plain"),
    [
        ("", ""),
        ("*Hi*\n", "Hi\n"),
        (
            "# Title\n\nSome **bold**, `code` and [a link](https://example.org).\n",
            "Title\n\nSome bold, code and a link.\n",
        ),
        ("one\ntwo  \nthree\n\n\n\nfour\n", "one\ntwo\nthree\n\nfour\n"),
        ("- a\n- b\n  - c\n  - d\n\nend\n", "- a\n- b\n  - c\n  - d\n\nend\n"),
        ("3. a\n4. b\n   more\n", "3. a\n4. b\n  more\n"),
        ("- a\n\n  more\n\n- b\n", "- a\n\n  more\n\n- b\n"),
        ("- [x] done\n- [ ] open\n", "- [x] done\n- [ ] open\n"),
        ("```python\nif x:\n\n    y < 1\n```\n\nend\n", "if x:\n\n    y < 1\n\nend\n"),
        ("| a | b |\n| --- | --- |\n| 1 | |\n| | 2 |\n", "a\tb\n1\n\t2\n"),
        ("> quoted\n\n---\n\n![a picture](x.png)\n", "quoted\n\na picture\n"),
        ("a &lt; b \\* c\n", "a < b * c\n"),
        ("<script>alert(1)</script>\n", "<script>alert(1)</script>\n"),
        ("*a*\n*b*\n", "a\nb\n"),
    ],
)
def test_plain_text(markdown: str, plain: str) -> None:
    """What a reader reads, without the signs."""
    assert plain_text(render(markdown).html) == plain


def test_plain_text_of_footnotes() -> None:
    """Their numbers stay, the arrows back go."""
    shown = plain_text(render("Word[^1].\n\n[^1]: The note.\n").html)
    assert shown.startswith("Word")
    assert "1. The note." in shown
    assert "↩" not in shown


@given(st.lists(st.sampled_from(["word", "other words", "last"]), min_size=1))
def test_plain_text_keeps_every_word(paragraphs: list[str]) -> None:
    """In their order, one paragraph apart."""
    text = "\n\n".join(paragraphs) + "\n"
    assert plain_text(render(text).html) == text


@pytest.mark.parametrize(
    "html", ["<ul><li>" * 50_000, "<p>" * 200_000, "&lt;" * 200_000, "<pre>" + "\n" * 500_000]
)
def test_plain_text_of_much_ends_soon(html: str) -> None:
    """Its work is linear, and what comes out is not much more than what went in."""
    began = time.process_time()
    assert len(plain_text(html)) <= 10 * len(html)
    assert time.process_time() - began < 3
