"""Which documents a body links to, as the table of references has it. Pure: no query."""

from __future__ import annotations

import re
import uuid
from urllib.parse import unquote, urljoin

from documents.addresses import SHORT_ID, document_named
from documents.markdown import LinkKind, TooComplex, links_of

# Of a text that links to more documents the first ones count.
MOST = 1_000
_UUID = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
# Parsing costs a save more than all else that it does with the text; without one of these there is no link.
_HINT = re.compile(rf"cs://|/documents/[0-9A-Fa-f]{{8}}-|{SHORT_ID}")
_OWN = re.compile(rf"cs://({_UUID})(?:[/?#].*)?", re.DOTALL)
_ROUTE = re.compile(rf"/api/v1/documents/({_UUID})(?:/.*)?")
_PAGE = re.compile(r"/d/([^/]+)/?")


def references_of(content: str, *, own: uuid.UUID, public_url: str) -> list[uuid.UUID]:
    """The ids of the documents that a Markdown body links to, itself left out, each once, in their order.

    A link counts that is `cs://{id}`, the route or the page of a document, as a path, relative to a page, or
    under `public_url`. Images and what stands in code are none. Whether there is such a document is not
    asked. A text that would take the parser too long links to none.
    """
    if not may_link(content):
        return []
    try:
        links = links_of(content)
    except TooComplex:
        return []
    found = dict.fromkeys(
        uid
        for link in links
        if link.kind is not LinkKind.IMAGE and (uid := document_linked(link.target, public_url))
    )
    found.pop(own, None)
    return list(found)[:MOST]


def may_link(content: str) -> bool:
    """Whether there is anything in the text that a link to a document holds: to look takes no time."""
    return _HINT.search(content) is not None


def document_linked(target: str, public_url: str) -> uuid.UUID | None:
    """The id of the document that a link's target leads to; None for one that leads elsewhere."""
    own = _OWN.fullmatch(target)
    if own is not None:
        return uuid.UUID(own[1])
    base = public_url.rstrip("/")
    if target.startswith(f"{base}/"):
        target = target.removeprefix(base)
    try:
        path = unquote(urljoin("/d/", target).partition("#")[0].partition("?")[0])
    except ValueError:
        # A target such as `//[`, which is no address.
        return None
    route = _ROUTE.fullmatch(path)
    if route is not None:
        return uuid.UUID(route[1])
    page = _PAGE.fullmatch(path)
    return document_named(page[1]) if page is not None else None
