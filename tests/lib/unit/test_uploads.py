"""The parser of forms with files, by itself: what the wire may do to it."""

from __future__ import annotations

import hashlib
import io
import tracemalloc
from typing import Any

import pytest
from django.test import RequestFactory

from cloudscribe.lib.errors import BadRequest, BodyTooLarge, DomainError, MalformedBody
from cloudscribe.lib.storage import incoming_folder
from cloudscribe.lib.uploads import Upload, UploadParser

KIND = "multipart/form-data; boundary=B"
HEAD = b'--B\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n'
END = b"\r\n--B--\r\n"


def parse(stream: Any, length: int | str = 1000, kind: str = KIND) -> Any:
    """What the parser makes of a body."""
    request = RequestFactory().post("/", b"", content_type=kind)
    request.META["CONTENT_LENGTH"] = str(length)
    return UploadParser().parse(stream, kind, {"request": request})


class Endless:
    """A body that never ends, in pieces as they are asked for."""

    def __init__(self, start: bytes, size: int) -> None:
        self._start, self._left = start, size

    def read(self, size: int) -> bytes:
        """The next bytes; after so many the closing boundary."""
        if self._start:
            piece, self._start = self._start, b""
            return piece
        if self._left <= 0:
            piece, self._left = (END, -1) if self._left == 0 else (b"", -1)
            return piece
        size = min(size, self._left)
        self._left -= size
        return b"\xa7" * size


class Broken:
    """A connection that ends in the middle, as the server tells it."""

    def __init__(self, error: Exception) -> None:
        self._pieces = [HEAD + b"half", error]

    def read(self, size: int) -> bytes:
        """A piece, then the error."""
        piece = self._pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        return piece


def test_file_is_on_the_disk_with_its_hash() -> None:
    """At its beginning, under its name; gone when it is closed."""
    found = parse(io.BytesIO(HEAD + b"content" + END)).files["file"]
    assert isinstance(found, Upload)
    assert (found.name, found.size, found.sha256) == ("x", 7, hashlib.sha256(b"content").digest())
    assert found.read() == b"content"
    found.close()
    assert not list(incoming_folder().iterdir())


def test_large_file_never_lies_in_memory() -> None:
    """50 MB pass through 4 MB."""
    tracemalloc.start()
    found = parse(Endless(HEAD, 50 * 1024 * 1024), 50 * 1024 * 1024 + 200).files["file"]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.size == 50 * 1024 * 1024
    assert peak < 4 * 1024 * 1024
    found.close()


@pytest.mark.parametrize(
    ("stream", "length", "kind", "refusal"),
    [
        (io.BytesIO(HEAD + b"x" + END), 1 << 40, KIND, BodyTooLarge),
        (io.BytesIO(HEAD + b"x"), 1000, KIND, BadRequest),
        (io.BytesIO(HEAD + b"x\r\n--B"), 1000, KIND, BadRequest),
        (io.BytesIO(b""), 1000, KIND, BadRequest),
        (io.BytesIO(HEAD + b"x" + END), 1000, "multipart/form-data", MalformedBody),
        (io.BytesIO(HEAD + b"x" + END), 1000, "multipart/form-data; boundary=\x7f", MalformedBody),
        (io.BytesIO(HEAD + b"x" + END), -1, KIND, MalformedBody),
        (Broken(OSError("reset")), 1000, KIND, BadRequest),
        (Broken(RuntimeError("a chunk's length is none")), 1000, KIND, BadRequest),
    ],
    ids=[
        "announced",
        "cut",
        "cut-late",
        "empty",
        "no-boundary",
        "odd-boundary",
        "negative",
        "reset",
        "chunk",
    ],
)
def test_bodies_that_are_none(stream: Any, length: int, kind: str, refusal: type[DomainError]) -> None:
    """Each is the client's fault, and nothing stays on the disk."""
    with pytest.raises(refusal):
        parse(stream, length, kind)
    assert not list(incoming_folder().iterdir())


@pytest.mark.parametrize("start", [HEAD, HEAD + b"x" + END])
def test_body_beyond_the_limit_is_not_read_to_its_end(settings: Any, start: bytes) -> None:
    """Whatever was announced: in the file or behind the form, counting stops it."""
    settings.MAX_UPLOAD_BYTES = 100_000
    stream = Endless(start, 10_000_000)
    with pytest.raises(BodyTooLarge):
        parse(stream, 1000)
    assert stream._left > 9_000_000
