"""The files that imported texts link to, as attachments of their documents."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Iterable, Mapping

from uuid_utils.compat import uuid7

from audit.services import Entry
from cloudscribe.lib.actor import Actor
from documents.attachments import attachment_address
from documents.exceptions import AttachmentInfected
from documents.importing.files import FoundFile, SourceFolder
from documents.models import Attachment, Blob, Document
from documents.services.attachments import attachment_created, attachment_insert
from documents.services.blobs import Incoming, blob_store
from security.content import content_inspect


@dataclasses.dataclass(frozen=True, slots=True)
class NewFile:
    """An attachment to be, under the id that the text already leads to."""

    uid: uuid.UUID
    found: FoundFile


class DocumentFiles:
    """The files of one document: those it has already are found by content, the others are to come."""

    def __init__(self, folder: SourceFolder | None, existing: Mapping[bytes, uuid.UUID]) -> None:
        self._folder = folder
        self._known = dict(existing)
        self.new: list[NewFile] = []

    def address(self, key: str) -> str | None:
        """Where the file of this path will be; None where it isn't taken."""
        found = self._folder.file(key) if self._folder else None
        if found is None:
            return None
        if found.sha256 not in self._known:
            self._known[found.sha256] = uuid7()
            self.new.append(NewFile(self._known[found.sha256], found))
        return attachment_address(self._known[found.sha256])


def files_of(documents: Iterable[int]) -> dict[int, dict[bytes, uuid.UUID]]:
    """What documents have attached, by the document's key and the content; of equal ones the oldest."""
    rows = Attachment.objects.filter(document_id__in=list(documents)).order_by("-pk")
    known: dict[int, dict[bytes, uuid.UUID]] = {}
    for document, sha256, uid in rows.values_list("document_id", "blob__sha256", "uid"):
        known.setdefault(document, {})[bytes(sha256)] = uid
    return known


def files_store(*, actor: Actor, files: Iterable[NewFile]) -> dict[uuid.UUID, Blob]:
    """Have the content of new files in the storage, before the transaction that attaches them; by their ids.

    Raises AttachmentInfected, naming the file, and what `blob_store` raises.
    """
    stored = {}
    for file in files:
        with file.found.path.open("rb") as content:
            about = content_inspect(content, name=file.found.name)
            incoming = Incoming(content, file.found.sha256, file.found.size, about)
            try:
                stored[file.uid] = blob_store(actor=actor, incoming=incoming)
            except AttachmentInfected as error:
                raise AttachmentInfected(f"{file.found.key}: {error.message}") from error
    return stored


def files_attach(
    *, actor: Actor, document: Document, files: Iterable[NewFile], stored: Mapping[uuid.UUID, Blob]
) -> list[Entry]:
    """Attach stored files to a document within the caller's transaction; what the trail says of them.

    Raises what `attachment_insert` raises.
    """
    return [
        attachment_created(
            actor,
            attachment_insert(
                actor=actor,
                document=document,
                blob=stored[file.uid],
                name=file.found.name,
                uid=file.uid,
            ),
        )
        for file in files
    ]
