"""The archive: a Markdown file for each document, their files, a table of contents, what else is known.

What is read is decided batch by batch by the rights of that moment: what is hidden or trashed meanwhile stays
out, and so does nothing else.
"""

from __future__ import annotations

import datetime as dt
import posixpath
import uuid
import zipfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, BinaryIO

from django.conf import settings
from django.db.models import QuerySet

from accounts.exporting import json_list
from cloudscribe.lib.storage import StorageUnavailable, file_pieces
from documents.exporting.linking import with_paths
from documents.exporting.naming import FILES, SUMMARY, Entry, Names, Node, entries_of, summary_of
from documents.exports import document_described
from documents.models import Attachment, BlobState, Document

EXPORT_NAME = "cloudscribe-documents.zip"
_DETAILS = "documents.json"
# A body is 2 MB at most.
_BODIES = 20
_KEYS = 5_000
_MOST_TOLD = 100

Readable = Callable[[], QuerySet[Document]]


class Export:
    """One archive of what `readable` gives, asked anew for each batch."""

    def __init__(self, archive: BinaryIO, readable: Readable, at: dt.datetime) -> None:
        """Nothing is written yet; `at` is the time that the files get."""
        self._zip = zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED)
        self._readable = readable
        self._at = at.timetuple()[:6]
        self._details: list[dict[str, Any]] = []
        self._missing: list[str] = []
        # Where in the archive documents and files lie, by their ids.
        self._paths: dict[uuid.UUID, str] = {}
        self._files: dict[uuid.UUID, str] = {}

    def write(self, progress: Callable[[int, int], None]) -> dict[str, Any]:
        """Write it; how many documents and files there are, and which files the storage hadn't.

        `progress` is told how many documents are written, of how many, and may raise to stop.
        """
        with self._zip:
            written, files = self._documents(progress)
            self._entry(SUMMARY, summary_of(written))
            self._entry(_DETAILS, json_list(self._details))
        return {"documents": len(written), "files": files, "missing": self._missing[:_MOST_TOLD]}

    def _documents(self, progress: Callable[[int, int], None]) -> tuple[list[Entry], int]:
        entries = entries_of(self._nodes())
        self._paths = {entry.node.uid: entry.path for entry in entries}
        attached = self._attachments([entry.node.pk for entry in entries])
        self._files = {row.uid: path for rows in attached.values() for row, path in rows}
        written, files = [], 0
        for start in range(0, len(entries), _BODIES):
            batch = entries[start : start + _BODIES]
            rows = self._readable().filter(pk__in=[entry.node.pk for entry in batch])
            found = {row.pk: row for row in rows.select_related("body", "owner", "workspace", "parent")}
            for entry in batch:
                if (document := found.get(entry.node.pk)) is not None:
                    files += self._document(entry, document, attached.get(document.pk, []))
                    written.append(entry)
            progress(start + len(batch), len(entries))
        return written, files

    def _nodes(self) -> Iterator[Node]:
        rows = self._readable().order_by("pk").values_list("pk", "parent_id", "uid", "title", "position")
        yield from (Node(*row) for row in rows.iterator(_KEYS))

    def _attachments(self, documents: Sequence[int]) -> dict[int, list[tuple[Attachment, str]]]:
        """Each document's files that may be read, with their places."""
        names = Names()
        found: dict[int, list[tuple[Attachment, str]]] = {}
        for start in range(0, len(documents), _KEYS):
            rows = Attachment.objects.filter(document__in=documents[start : start + _KEYS])
            rows = rows.filter(blob__state=BlobState.READY).select_related("blob").order_by("document", "pk")
            for row in rows:
                path = posixpath.join(FILES, names.give(*posixpath.splitext(row.name)))
                found.setdefault(row.document_id, []).append((row, path))
        return found

    def _document(self, entry: Entry, document: Document, files: Iterable[tuple[Attachment, str]]) -> int:
        text = with_paths(
            document.body.content, entry.path, self._paths, self._files, str(settings.PUBLIC_URL)
        )
        self._entry(entry.path, [text.encode()])
        kept = [_about(row, path) for row, path in files if self._file(row, path)]
        parent = self._paths.get(document.parent.uid) if document.parent else None
        about = {"path": entry.path, "parent": parent, "attachments": kept}
        self._details.append({**document_described(document), **about})
        return len(kept)

    def _file(self, row: Attachment, path: str) -> bool:
        try:
            self._entry(path, file_pieces(row.blob.path, 0, row.blob.size))
        except StorageUnavailable:
            self._missing.append(path)
            return False
        return True

    def _entry(self, name: str, pieces: Iterable[bytes]) -> None:
        about = zipfile.ZipInfo(name, self._at)
        about.compress_type = zipfile.ZIP_DEFLATED
        with self._zip.open(about, "w", force_zip64=True) as file:
            for piece in pieces:
                file.write(piece)


def _about(row: Attachment, path: str) -> dict[str, Any]:
    return {"id": row.uid, "path": path, "name": row.name, "size": row.blob.size, "sha256": row.blob.digest}
