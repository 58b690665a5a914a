"""Markdown to HTML: what is understood, what is made harmless, and that it always ends."""

from __future__ import annotations

import hashlib

import orjson
import pytest

from documents.rendering import RENDERER_VERSION, render, syntax
from tests.documents.markup import Page


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*a* **b** ~~c~~ `d`", "<p><em>a</em> <strong>b</strong> <s>c</s> <code>d</code></p>\n"),
        ("# A *b*", '<h1 id="a-b">A <em>b</em></h1>\n'),
        ("[x](cs://1#y)", '<p><a href="cs://1#y" rel="nofollow noopener noreferrer">x</a></p>\n'),
        ("```none-such\nfn\n```", '<pre tabindex="0"><code class="language-none-such">fn\n</code></pre>\n'),
    ],
)
def test_render_understands(text: str, html: str) -> None:
    """CommonMark and the extensions."""
    assert render(text).html == html


def test_render_aligns_cells_by_class() -> None:
    """An inline style would break a strict content policy."""
    html = render("| a |\n|--:|\n| 1 |").html
    assert '<td class="align-right">1</td>' in html
    assert "style" not in html


def test_render_makes_task_lists() -> None:
    """Boxes are disabled, and what they are called is the task."""
    html = render("- [x] *done*\n- [ ] to do\n- [y] none\n- [ ]none\n- [ ](/link)\n").html
    box = 'class="task-list-item-checkbox" {}disabled="disabled" type="checkbox">'
    done = box.format('checked="checked" ')
    assert f"<label><input {done} <em>done</em></label></li>" in html
    assert f"<label><input {box.format('')} to do</label></li>" in html
    assert html.count("<input") == html.count('task-list-item"') == 2
    assert '<ul class="contains-task-list">' in html


def test_render_marks_the_list_that_the_task_stands_in() -> None:
    """Tasks below items that are none, in numbered lists and in loose ones."""
    html = render("- a\n  1. [ ] b\n\n     c\n  2. [x] d\n- e\n").html
    assert "<ul>" in html
    assert '<ol class="contains-task-list">' in html
    assert html.count("<label>") == 2


def test_render_leads_to_footnotes_and_back() -> None:
    """Each place that refers to a note has a way back of its own; ids are there once."""
    page = Page(render("a[^n] b[^n] ^[inline]\n\n# fn1\n\n# fnref1\n\n[^n]: Note.\n").html)
    ids = page.values("id")
    assert ids == ["fnref1", "fnref1:1", "fnref2", "fn1-1", "fnref1-1", "fn1", "fn2"]
    assert {value.removeprefix("#") for value in page.values("href")} == {*ids} - {"fn1-1", "fnref1-1"}
    backs = [value for value in page.values("aria-label") if value.startswith("Back")]
    assert backs == ["Back to reference 1", "Back to reference 1:1", "Back to reference 2"]


@pytest.mark.parametrize(
    ("text", "anchors"),
    [
        ("# Same\n\n## Same\n\n# !!!\n\n# ???", ["same", "same-1", "section", "section-1"]),
        ("# a\n\n# a\n\n# a-1\n\n# a", ["a", "a-1", "a-1-1", "a-2"]),
        ("# a-1\n\n# a\n\n# a", ["a-1", "a", "a-2"]),
        ("# Über `code` & *Straße*", ["über-code--straße"]),
        ("# हिन्दी भाषा\n\n# 日本語", ["हिन्दी-भाषा", "日本語"]),
        ("Two\nlines\n===", ["two-lines"]),
        ("# [link](/x) ![picture](/y)", ["link-picture"]),
        ("# " + "long " * 100, ["long-" * 40]),
    ],
)
def test_render_gives_headings_anchors_of_their_words(text: str, anchors: list[str]) -> None:
    """Each anchor leads to one place, in any script."""
    rendered = render(text)
    assert [entry["anchor"] for entry in rendered.toc] == anchors
    assert Page(rendered.html).values("id") == anchors


DOCUMENT = "01900000-0000-7000-8000-000000000000"
ADDRESS = "1CC4iq7WDcVYjpyJcoHTNP"


@pytest.mark.parametrize(
    ("target", "address"),
    [
        (f"cs://{DOCUMENT}", f"/d/{ADDRESS}"),
        (f"cs://{DOCUMENT}#part", f"/d/{ADDRESS}#part"),
        (f"cs://{DOCUMENT.upper()}#%C3%BC", f"/d/{ADDRESS}#%C3%BC"),
        (f"/d/an-old-title-{ADDRESS}#part", f"/d/{ADDRESS}#part"),
        (f"a-title-{ADDRESS}", f"/d/{ADDRESS}"),
        (f"../d/{ADDRESS}/", f"/d/{ADDRESS}"),
        (f"/api/v1/documents/{DOCUMENT}/", f"/d/{ADDRESS}"),
        (f"/api/v1/documents/{DOCUMENT}/html/", f"/api/v1/documents/{DOCUMENT}/html/"),
        (f"https://example.org/d/{ADDRESS}", f"https://example.org/d/{ADDRESS}"),
        (f"//example.org/d/{ADDRESS}", f"//example.org/d/{ADDRESS}"),
        ("page.md#part", "page.md#part"),
        ("#part", "#part"),
    ],
)
def test_render_leads_to_documents(target: str, address: str) -> None:
    """What names a document becomes the address that finds it under any title; the rest stays."""
    assert Page(render(f"[x]({target})").html).values("href") == [address]


@pytest.mark.parametrize(
    ("source", "html"),
    [
        ("https://example.org/a.png", '<img src="https://example.org/a.png" alt="A">'),
        (
            f"/api/v1/attachments/{DOCUMENT}/file/",
            f'<img src="/api/v1/attachments/{DOCUMENT}/file/" alt="A">',
        ),
        ("a.png", '<img src="a.png" alt="A">'),
        (
            "http://example.org/a.png",
            '<a href="http://example.org/a.png" rel="nofollow noopener noreferrer">A</a>',
        ),
        ("data:image/png;base64,AAAA", "A"),
        ("mailto:a@example.org", "A"),
    ],
)
def test_render_shows_pictures_from_here_or_by_https(source: str, html: str) -> None:
    """Others are their words, and a link where that may be opened."""
    assert render(f"![A]({source})").html == f"<p>{html}</p>\n"


def test_render_puts_no_link_into_a_link() -> None:
    """A picture that isn't shown and stands in a link is its words alone."""
    assert render("[![A](http://example.org/a.png)](/x)").html.count("<a ") == 1


@pytest.mark.parametrize(
    ("language", "code", "spans"),
    [
        ("python", "def f(): # <b>\n", ["k", "nf", "p", "c1"]),
        ("rust,ignore", "fn f() {}\n", ["k", "nf", "p", "p"]),
        ("RUST", "fn\n", ["k"]),
        ("diff", "-a\n+b\n", ["gd", "gi"]),
    ],
)
def test_render_marks_the_words_of_code(language: str, code: str, spans: list[str]) -> None:
    """By classes, and letter by letter the same."""
    page = Page(render(f"```{language}\n{code}```").html)
    assert [value for tag, name, value in page.attributes if (tag, name) == ("span", "class")] == spans
    assert ("pre", "class", "highlight") in page.attributes
    assert page.values("style") == []
    assert page.text == code + "\n"


@pytest.mark.parametrize(
    "text",
    [
        "```\nfn main() {}\n```",
        "```pyth\nfn\n```",
        "```text\nfn\n```",
        "```{.python}\nfn\n```",
        "    fn main() {}",
        "```python\n" + "x = 1\n" * 4_000 + "```",
    ],
)
def test_render_guesses_no_language(text: str) -> None:
    """Without an exact name, or in a long block, code has no classes."""
    assert "<span" not in render(text).html


def test_render_marks_code_up_to_a_bound_in_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first blocks have classes, later ones are as they were written."""
    monkeypatch.setattr(syntax, "LONGEST_CODE", 20)
    assert render("```python\nx = 1\n```\n\n" * 5).html.count('class="highlight"') == 3


@pytest.mark.parametrize(
    "code", ["\n\n x\n\n", "\tx\n", "\ufeffx\n", "a\u00a0b\n", "&nbsp; &lt; \"'\n", "x  \n\f\n"]
)
def test_render_keeps_code_as_it_was_written(code: str) -> None:
    """Lexers strip and expand by themselves; nothing of that is to be seen."""
    with_name, without = (Page(render(f"```{name}\n{code}```").html) for name in ("python", "none-such"))
    assert with_name.text == without.text


SAMPLE = """# Title *x*\n\nText ~~s~~ [l](cs://01900000-0000-7000-8000-000000000000#a) ![p](/p.png) ![h](http://h/p.png)[^1]

- [x] done\n- [ ] to do\n\n| a | b |\n| :-: | --: |\n| 1 | 2 |\n\n> quote `code` <b>html</b>\n\n1. one\n2. two

```python\ndef f(): return "x"  # remark\n```\n\n    code\n\n---\n\n[^1]: Note.
"""
MADE = {3: "32c3445172f716c0"}


def test_renderer_version_rises_with_every_change_of_output() -> None:
    """What is cached has the version in its key: who changes the output raises it and writes down both."""
    rendered = render(SAMPLE)
    made = hashlib.sha256(rendered.html.encode() + orjson.dumps(rendered.toc)).hexdigest()[:16]
    assert (RENDERER_VERSION, made) == (max(MADE), MADE[RENDERER_VERSION])
