"""Which file of the tree a link means, and the address that the link gets as a document."""

from __future__ import annotations

import posixpath
import re
import uuid
from collections.abc import Callable, Collection, Mapping
from urllib.parse import unquote

from documents.importing.reading import Problem
from documents.markdown.links import Link, LinkKind, TooComplex, rewrite_links

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|#|\?")
_INDEX_NAMES = ("README.md", "index.md", "readme.md")


def document_address(uid: uuid.UUID, anchor: str = "") -> str:
    """The address of a document inside a text: `cs://<id>#anchor`, which survives moves and new titles."""
    return f"cs://{uid}#{anchor}" if anchor else f"cs://{uid}"


def linked_key(source: str, target: str, keys: Collection[str]) -> tuple[str, str] | None:
    """The key of the file that `target`, found in the file `source`, leads to, and its anchor.

    None for links out of the tree. A rendered page (`.html`) means its Markdown file, a folder its index.
    """
    if _SCHEME.match(target) or not target:
        return None
    path, _, anchor = target.partition("#")
    path = unquote(path.partition("?")[0])
    base = "" if path.startswith("/") else posixpath.dirname(source)
    wanted = posixpath.normpath(posixpath.join(base, path.lstrip("/")))
    stem = wanted.removesuffix(".html")
    candidates = [wanted, f"{stem}.md", *(posixpath.normpath(f"{wanted}/{name}") for name in _INDEX_NAMES)]
    if posixpath.basename(stem) == "index":
        candidates += [
            posixpath.normpath(posixpath.join(posixpath.dirname(stem), name)) for name in _INDEX_NAMES
        ]
    found = next((key for key in candidates if key in keys), None)
    return (found, anchor) if found is not None else None


def link_resolver(source: str, uids: Mapping[str, uuid.UUID]) -> Callable[[Link], str | None]:
    """For `rewrite_links`: the address of the document that a link in the file `source` means."""

    def resolve(link: Link) -> str | None:
        if link.kind is LinkKind.IMAGE:
            return None
        found = linked_key(source, link.target, uids.keys())
        return document_address(uids[found[0]], found[1]) if found else None

    return resolve


def with_links(source: str, text: str, uids: Mapping[str, uuid.UUID]) -> tuple[str, Problem | None]:
    """The text of the file `source`, its links to files made links to documents where that can be done."""
    try:
        return rewrite_links(text, link_resolver(source, uids)), None
    except TooComplex as error:
        return text, Problem(source, f"{error} Its links are left as they are.", left_out=False)
