"""Markdown to HTML: what is understood, what is made harmless, and that it always ends."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from documents.rendering import render, render_bounded


class Page(HTMLParser):
    """The elements and attributes of an HTML text, as a browser would find them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element."""
        self.elements.add(tag)
        self.attributes += attrs


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*a* **b** ~~c~~ `d`", "<p><em>a</em> <strong>b</strong> <s>c</s> <code>d</code></p>\n"),
        ("# A *b*", '<h1 id="a-b">A <em>b</em></h1>\n'),
        ("[x](cs://1#y)", '<p><a href="cs://1#y" rel="nofollow noopener noreferrer">x</a></p>\n'),
        ("```rust\nfn\n```", '<pre><code class="language-rust">fn\n</code></pre>\n'),
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
    """Boxes are disabled checkboxes and nothing else."""
    html = render("- [x] done").html
    assert (
        '<input class="task-list-item-checkbox" checked="checked" disabled="disabled" type="checkbox">'
        in html
    )


def test_render_numbers_headings_of_one_name() -> None:
    """Each anchor leads to one place."""
    assert [entry["anchor"] for entry in render("# Same\n\n## Same\n\n# !!!").toc] == [
        "same",
        "same-1",
        "section",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "![x](javascript:alert(1))",
        "[x](vbscript:x)",
        '[x](https://e.org "onmouseover=alert(1)")',
        '<https://e.org/"onclick=x>',
        '```"><script>alert(1)</script>\n```',
        "[^1]\n\n[^1]: <svg onload=alert(1)>",
        "| <iframe src=//e.org> |\n|---|\n| x |",
    ],
)
def test_render_lets_nothing_run(text: str) -> None:
    """No element and no attribute that a browser would run comes out, whatever stands there as text."""
    page = Page(render(text).html)
    assert not page.elements & {"script", "iframe", "svg", "style", "object", "embed", "form"}
    assert not {name for name, _ in page.attributes if name.startswith("on") or name == "style"}
    addresses = [value or "" for name, value in page.attributes if name in {"href", "src"}]
    assert all(address.startswith(("#", "https://e.org")) for address in addresses)


def test_render_bounded_gives_up_on_hostile_text() -> None:
    """A text that would keep the parser for minutes comes back as it is, and the next one is rendered."""
    hostile = "[" * 60_000 + "<b>"
    found = render_bounded(hostile, seconds=0.3)
    assert found.plain
    assert found.html.endswith("&lt;b&gt;</pre>")
    assert render_bounded("*a*", seconds=10).html == "<p><em>a</em></p>\n"
