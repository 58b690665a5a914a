"""Which file of the tree a link means, and the address that the link gets as a document."""

from __future__ import annotations

import posixpath
import re
import uuid
from collections.abc import Callable, Collection, Mapping
from urllib.parse import unquote

from documents.importing.pictures import with_pictures
from documents.importing.reading import Problem
from documents.markdown.links import Link, LinkKind, TooComplex, rewrite_links

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:|//|#|\?")
FileAddress = Callable[[str], str | None]

_INDEX_NAMES = ("README.md", "index.md", "readme.md")


def _no_file(_: str) -> None:
    """Of a tree without files."""


def document_address(uid: uuid.UUID, anchor: str = "") -> str:
    """The address of a document inside a text: `cs://<id>#anchor`, which survives moves and new titles."""
    return f"cs://{uid}#{anchor}" if anchor else f"cs://{uid}"


def linked_path(source: str, target: str) -> tuple[str, str] | None:
    """The path below the root that `target`, found in the file `source`, leads to, and its anchor.

    It may lead out of the root (`../…`). None for an address with a scheme or a host.
    """
    if _SCHEME.match(target) or not target:
        return None
    path, _, anchor = target.partition("#")
    path = unquote(path.partition("?")[0])
    base = "" if path.startswith("/") else posixpath.dirname(source)
    return posixpath.normpath(posixpath.join(base, path.lstrip("/"))), anchor


def linked_key(source: str, target: str, keys: Collection[str]) -> tuple[str, str] | None:
    """The key of the file that `target`, found in the file `source`, leads to, and its anchor.

    None for links out of the tree. A rendered page (`.html`) means its Markdown file, a folder its index.
    """
    path = linked_path(source, target)
    if path is None:
        return None
    wanted, anchor = path
    stem = wanted.removesuffix(".html")
    candidates = [wanted, f"{stem}.md", *(posixpath.normpath(f"{wanted}/{name}") for name in _INDEX_NAMES)]
    if posixpath.basename(stem) == "index":
        candidates += [
            posixpath.normpath(posixpath.join(posixpath.dirname(stem), name)) for name in _INDEX_NAMES
        ]
    found = next((key for key in candidates if key in keys), None)
    return (found, anchor) if found is not None else None


def link_resolver(
    source: str, uids: Mapping[str, uuid.UUID], file_address: FileAddress
) -> Callable[[Link], str | None]:
    """For `rewrite_links`: the address of the document or file that a link in the file `source` means."""

    def resolve(link: Link) -> str | None:
        found = None if link.kind is LinkKind.IMAGE else linked_key(source, link.target, uids.keys())
        if found is not None:
            return document_address(uids[found[0]], found[1])
        return _file_linked(source, link.target, file_address)

    return resolve


def with_links(
    source: str, text: str, uids: Mapping[str, uuid.UUID], file_address: FileAddress = _no_file
) -> tuple[str, Problem | None]:
    """The text of the file `source`, its links to files made links to documents where that can be done.

    `file_address` says for the path of any other file of the tree where it is, None where it isn't taken.
    """
    problem = None
    try:
        text = rewrite_links(text, link_resolver(source, uids, file_address))
    except TooComplex as error:
        problem = Problem(source, f"{error} Its links are left as they are.", left_out=False)
    return with_pictures(text, lambda target: _file_linked(source, target, file_address)), problem


def _file_linked(source: str, target: str, file_address: FileAddress) -> str | None:
    path = linked_path(source, target)
    address = file_address(path[0]) if path else None
    if address is None or path is None:
        return None
    return f"{address}#{path[1]}" if path[1] else address
