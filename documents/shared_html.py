"""The HTML of a body as a share link shows it. Pure.

What comes in was cleaned by the renderer: attributes stand in double quotes, and in no text is a bare `<`.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from documents.addresses import SHORT_ID, document_named

_UUID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_DOCUMENT = re.compile(rf' href="cs://({_UUID})(#[^"]*)?"', re.IGNORECASE)
_PAGE = re.compile(rf' href="/d/({SHORT_ID})(#[^"]*)?"')
_FILE = re.compile(
    rf' (href|src)="(?:https?://[^/"]+)?/api/v1/attachments/({_UUID})/file/(\?[^"#]*)?(?:#[^"]*)?"',
    re.IGNORECASE,
)
# Where a link begins and ends, and a picture of another server.
_AWAY = re.compile(
    r'(?P<begin><a )|(?P<end></a>)|<img src="(?P<source>(?:https?:)?//[^"]*)"'
    r'(?: alt="(?P<text>[^"]*)")?(?: [a-z]+="[^"]*")*>'
)
# So many levels of headings, and from so many on, make a table of contents.
_LEVELS, _FROM = 3, 3


def with_ids(html: str) -> str:
    """The HTML with `cs://{id}` for the addresses of documents, which are for people with an account."""

    def to_id(found: re.Match[str]) -> str:
        uid = document_named(found[1])
        return found[0] if uid is None else f' href="cs://{uid}{found[2] or ""}"'

    return _PAGE.sub(to_id, html)


def documents_linked(html: str) -> set[uuid.UUID]:
    """The documents that the HTML links to."""
    return {uuid.UUID(found[1]) for found in _DOCUMENT.finditer(html)}


def page_html(
    html: str, document: Callable[[uuid.UUID], str | None], file: Callable[[uuid.UUID], str]
) -> str:
    """The HTML with addresses of pages for ids, links for pictures of elsewhere, and tables that scroll.

    `document` gives the address of a document's page, None for one that the link doesn't reach: its link is
    plain text then.
    """

    def to_page(found: re.Match[str]) -> str:
        address = document(uuid.UUID(found[1]))
        return "" if address is None else f' href="{address}{found[2] or ""}"'

    def to_file(found: re.Match[str]) -> str:
        return f' {found[1]}="{file(uuid.UUID(found[2]))}{found[3] or ""}"'

    html = _without_pictures_of_elsewhere(_FILE.sub(to_file, _DOCUMENT.sub(to_page, html)))
    return html.replace("<table>", '<div class="wide" tabindex="0"><table>').replace(
        "</table>", "</table></div>"
    )


def _without_pictures_of_elsewhere(html: str) -> str:
    """Pictures of other servers, which the page's policy doesn't load, as links to them."""
    within = False

    def settle(found: re.Match[str]) -> str:
        nonlocal within
        if found["source"] is None:
            within = found["begin"] is not None
            return found[0]
        text = found["text"] or found["source"]
        link = f'<a href="{found["source"]}" rel="nofollow noopener noreferrer">{text}</a>'
        return text if within else link

    return _AWAY.sub(settle, html)


def contents_of(toc: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The table of contents, from the highest level that there is downwards; none for a short text."""
    shown = list(_shown(toc))
    return shown if len(shown) >= _FROM else []


def _shown(toc: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    # A single heading at the top is the title of the page.
    rest = toc[1:] if toc and [heading["level"] for heading in toc].count(toc[0]["level"]) == 1 else toc
    highest = min((int(heading["level"]) for heading in rest), default=1)
    for heading in rest:
        depth = int(heading["level"]) - highest + 1
        if depth <= _LEVELS and heading["title"]:
            yield {**heading, "depth": depth}
