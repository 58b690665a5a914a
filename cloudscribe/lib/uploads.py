"""Files as they come in: multipart/form-data, from the wire to the disk, never in memory as a whole.

Django's own parser takes a body that breaks off for one that ends, so that half a file would pass for the
whole; here the closing boundary must be there. The hash is made while the bytes pass by.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http.multipartparser import MultiPartParser, MultiPartParserError
from django.utils.http import parse_header_parameters
from rest_framework.parsers import BaseParser, DataAndFiles

from cloudscribe.lib.errors import BadRequest, BodyTooLarge, MalformedBody
from cloudscribe.lib.gate import UPLOADS
from cloudscribe.lib.storage import storage_trouble, temporary_file

# Boundaries, headers of parts and small fields beside the file.
OVERHEAD = 64 * 1024
_CHUNK = 256 * 1024
_TAIL = 1024


if TYPE_CHECKING:
    _UploadedFile = UploadedFile[bytes]
else:
    _UploadedFile = UploadedFile


class Upload(_UploadedFile):
    """A file that came in, on the disk until it is closed; `sha256` is that of its bytes."""

    def __init__(self, file: BinaryIO, *, sha256: bytes, name: str, content_type: str, size: int) -> None:
        super().__init__(file, name, content_type, size)
        self.sha256 = sha256


class UploadParser(BaseParser):
    """multipart/form-data of the routes that take files."""

    media_type = UPLOADS

    def parse(
        self,
        stream: IO[bytes],
        media_type: str | None = None,
        parser_context: Mapping[str, Any] | None = None,
    ) -> DataAndFiles[Any, Any]:
        """The fields and the files, which are Uploads. Raises BodyTooLarge, MalformedBody, BadRequest."""
        request = (parser_context or {})["request"]
        meta = {**request.META, "CONTENT_TYPE": media_type}
        most = settings.MAX_UPLOAD_BYTES + OVERHEAD
        announced = str(meta.get("CONTENT_LENGTH", ""))
        if announced.isdigit() and int(announced) > most:
            raise _too_large()
        body = _Body(stream, most)
        try:
            fields, files = MultiPartParser(meta, cast("Any", body), [_ToDisk()]).parse()
        except MultiPartParserError as error:
            raise MalformedBody(str(error)) from None
        _, parameters = parse_header_parameters(media_type or "")
        if f"--{parameters.get('boundary', '')}--".encode() not in body.tail:
            raise BadRequest("The body broke off before its closing boundary.")
        return DataAndFiles(fields, files)


def _too_large() -> BodyTooLarge:
    limit = settings.MAX_UPLOAD_BYTES
    return BodyTooLarge(f"A file of at most {limit:,} bytes is taken here.", extra={"limit": limit})


class _Body:
    """The body on its way in: counted, and with its last bytes kept."""

    def __init__(self, stream: IO[bytes], most: int) -> None:
        self.tail = b""
        self._stream, self._left = stream, most

    def read(self, size: int) -> bytes:
        """The next bytes."""
        try:
            piece = self._stream.read(size)
        except Exception as error:
            # Whatever the server calls it: the connection and its chunks are the client's.
            raise BadRequest("The body broke off, or its chunks are malformed.") from error
        self._left -= len(piece)
        if self._left < 0:
            raise _too_large()
        self.tail = (self.tail + piece)[-_TAIL:]
        return piece


class _ToDisk(FileUploadHandler):
    """Writes each file to one without a name and hashes it; all of a request together have one limit."""

    chunk_size = _CHUNK

    def __init__(self) -> None:
        super().__init__()
        self._left = settings.MAX_UPLOAD_BYTES
        self._file: BinaryIO | None = None
        self._digest = hashlib.sha256()

    def new_file(self, *args: Any, **named: Any) -> None:
        """Begin a file."""
        super().new_file(*args, **named)
        self._digest = hashlib.sha256()
        with storage_trouble():
            self._file = temporary_file()

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        """Take a piece of it."""
        self._left -= len(raw_data)
        if self._left < 0:
            self.upload_interrupted()
            raise _too_large()
        self._digest.update(raw_data)
        if self._file is not None:
            with storage_trouble():
                self._file.write(raw_data)

    def file_complete(self, file_size: int) -> Upload | None:
        """The file, at its beginning."""
        if self._file is None:
            return None
        with storage_trouble():
            self._file.seek(0)
        made = Upload(
            self._file,
            sha256=self._digest.digest(),
            name=str(self.file_name),
            content_type=str(self.content_type or ""),
            size=file_size,
        )
        self._file = None
        return made

    def upload_interrupted(self) -> None:
        """Nothing of it stays."""
        if self._file is not None:
            self._file.close()
            self._file = None
