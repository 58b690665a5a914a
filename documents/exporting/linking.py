"""Links of an exported text: to the files of what goes along, to the server for the rest. Pure."""

from __future__ import annotations

import posixpath
import uuid
from collections.abc import Mapping
from urllib.parse import quote

from documents.addresses import document_url
from documents.attachments import attachment_address, attachment_of, may_attach
from documents.markdown import LinkKind, TooComplex
from documents.markdown.links import Link, rewrite_links
from documents.references import document_linked, may_link


def with_paths(
    text: str, path: str, documents: Mapping[uuid.UUID, str], files: Mapping[uuid.UUID, str], public_url: str
) -> str:
    """The text of the file at `path`, each link to a document or an attachment led to where that is now.

    `documents` and `files` say by id where in the archive they lie. A text that would take the parser too
    long keeps its links.
    """
    # To parse a text takes a hundred times as long as all else that is done with it.
    if not (may_link(text) or may_attach(text)):
        return text
    folder = posixpath.dirname(path)

    def resolve(link: Link) -> str | None:
        attached = attachment_of(link.target)
        if attached is not None:
            if attached in files:
                return quote(posixpath.relpath(files[attached], folder or "."))
            return public_url.rstrip("/") + attachment_address(attached)
        linked = None if link.kind is LinkKind.IMAGE else document_linked(link.target, public_url)
        if linked is None:
            return None
        _, hash_sign, anchor = link.target.partition("#")
        if linked in documents:
            return posixpath.relpath(documents[linked], folder or ".") + hash_sign + anchor
        return document_url(linked, "", public_url) + hash_sign + anchor

    try:
        return rewrite_links(text, resolve)
    except TooComplex:
        return text
