"""The HTML of the public page (documents.shared_html)."""

from __future__ import annotations

import uuid

from documents.addresses import short_id
from documents.rendering.html import render
from documents.shared_html import contents_of, documents_linked, page_html, with_ids

NEAR, FAR, FILE = (uuid.UUID(int=number) for number in (1, 2, 3))


def shown(text: str) -> str:
    """The page's HTML of a Markdown text."""
    html = with_ids(render(text).html)
    return page_html(html, lambda uid: "/s/x/d/near/" if uid == NEAR else None, lambda _: "/s/x/f/file/")


def test_links_lead_to_pages_or_nowhere() -> None:
    """A link that is reached gets its page, with the anchor; another one is text."""
    html = shown(f"[a](cs://{NEAR}#part) [b](cs://{FAR})")
    assert documents_linked(with_ids(render(f"[a](cs://{NEAR}) [b](/d/{short_id(FAR)})").html)) == {NEAR, FAR}
    assert '<a href="/s/x/d/near/#part"' in html
    assert str(FAR) not in html
    assert html.count("href") == 1


def test_files_are_shown_by_the_link() -> None:
    """Pictures and downloads go through the link, with the size that was asked for."""
    html = shown(
        f"![i](/api/v1/attachments/{FILE}/file/?size=256) [f](https://own.example/api/v1/attachments/{FILE}/file/)"
    )
    assert '<img src="/s/x/f/file/?size=256"' in html
    assert '<a href="/s/x/f/file/"' in html


def test_pictures_of_elsewhere_are_links() -> None:
    """The page loads nothing from where a reader could be counted; in a link they are its text."""
    away = "https://example.org/a.png"
    html = shown(f'![A "b" >]({away} "t > t") [![C]({away})](/x) ![]({away}) ![D](/own.png)')
    rel = 'rel="nofollow noopener noreferrer"'
    assert f'<a href="{away}" {rel}>A &quot;b&quot; ' in html
    assert f'<a href="/x" {rel}>C</a> <a href="{away}" {rel}>{away}</a> <img src="/own.png" alt="D">' in html


def test_what_looks_like_markup_in_a_text_stays_text() -> None:
    """Code that shows HTML is code: nothing of it becomes markup."""
    html = shown('`<pre>` and `<table>` and `<input type="checkbox">`\n')
    assert "&lt;pre&gt;" in html
    assert "tabindex" not in html
    assert "<label>" not in html


def test_what_scrolls_is_reachable() -> None:
    """Keyboards reach what scrolls."""
    html = shown("    code\n\n| a |\n| - |\n| b |\n")
    assert '<pre tabindex="0">' in html
    assert '<div class="wide" tabindex="0"><table>' in html
    assert html.count("</table></div>") == 1


def test_contents_begin_below_the_title() -> None:
    """The one heading on top is the page's title; a short text has no table of contents."""
    toc = render("# T\n\n## A\n\n### B\n\n## C\n\n##### deep\n").toc
    assert [(entry["title"], entry["depth"]) for entry in contents_of(toc)] == [("A", 1), ("B", 2), ("C", 1)]
    assert contents_of(render("# T\n\n## A\n").toc) == []
