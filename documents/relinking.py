"""Links of a text that is copied together with what it links to: they lead to the copies. Pure: no query."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping

from documents.addresses import SHORT_ID
from documents.importing.linking import document_address
from documents.markdown.links import Link, TooComplex, rewrite_links
from documents.references import document_linked

_UUID = "[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}"
# For PostgreSQL as well as for Python: a text without it has no link that could be meant.
LINK_HINT = f"cs://|documents/[0-9A-Fa-f]{{8}}-|attachments/[0-9A-Fa-f]{{8}}-|{SHORT_ID}"
_HINT = re.compile(LINK_HINT)
_FILE = re.compile(rf"((?:[^#?]*/)?attachments/)({_UUID})(/.*)?", re.DOTALL)
# The parser takes it for a link, `rewrite_links` leaves it alone.
_AUTOLINK = re.compile(rf"(?<=<cs://){_UUID}")


def relinked(
    content: str,
    *,
    documents: Mapping[uuid.UUID, uuid.UUID],
    files: Mapping[uuid.UUID, uuid.UUID],
    public_url: str,
) -> str:
    """The Markdown text with links to `documents` and `files` made links to what these were copied to.

    Every other byte stays; so does the whole of a text that would take the parser too long.
    """
    if not _HINT.search(content):
        return content

    def resolve(link: Link) -> str | None:
        file = _FILE.fullmatch(link.target)
        if file is not None:
            copy = files.get(uuid.UUID(file[2]))
            return f"{file[1]}{copy}{file[3] or ''}" if copy else None
        uid = document_linked(link.target, public_url)
        if uid is None or uid not in documents:
            return None
        return document_address(documents[uid], link.target.partition("#")[2])

    def autolink(found: re.Match[str]) -> str:
        uid = uuid.UUID(found[0])
        return str(documents.get(uid, uid))

    try:
        return _AUTOLINK.sub(autolink, rewrite_links(content, resolve))
    except TooComplex:
        return content
