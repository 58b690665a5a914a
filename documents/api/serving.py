"""Giving files away: whole or a range, to whom the caller has let through."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from rest_framework.request import Request

from cloudscribe.lib.conditional import if_none_match
from cloudscribe.lib.errors import NotFound, RangeNotSatisfiable
from cloudscribe.lib.storage import file_pieces, file_size
from documents import thumbnails
from documents.models import Blob
from documents.selectors.attachments import blob_servable
from security.content import Content, content_headers

# One range of RFC 9110, section 14.1.2; several are answered by the whole, which a server may.
_RANGE = re.compile(r"bytes=[ \t]*(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))[ \t]*", re.IGNORECASE)


@dataclasses.dataclass(frozen=True, slots=True)
class _File:
    """A file in the storage with the headers that it is given under."""

    path: str
    size: int
    etag: str
    headers: dict[str, str]


def blob_answer(
    request: Request | HttpRequest, blob: Blob, name: str, *, side: int | None = None
) -> HttpResponseBase:
    """The content under a name, with ETag and ranges; with `side` a picture of it, at most so large.

    An image whose pictures aren't made yet is given as it is. Raises NotFound for a picture of what is no
    image, AttachmentScanning, AttachmentInfected, RangeNotSatisfiable, StorageUnavailable.
    """
    file = _file_of(blob_servable(blob), name, side)
    if if_none_match(request, file.etag):
        response = HttpResponse(status=HTTPStatus.NOT_MODIFIED, headers={"ETag": file.etag})
        del response.headers["Content-Type"]
        return response
    span = _span_of(request, file)
    start, end = span or (0, file.size)
    headers = {
        **file.headers,
        "Accept-Ranges": "bytes",
        "Content-Length": str(end - start),
        "ETag": file.etag,
    }
    if span:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    status = HTTPStatus.PARTIAL_CONTENT if span else HTTPStatus.OK
    if request.method == "HEAD":
        return HttpResponse(status=status, headers=headers)
    pieces: Iterator[bytes] = file_pieces(file.path, start, end - start)
    return StreamingHttpResponse(pieces, status=status, headers=headers)


def _file_of(blob: Blob, name: str, side: int | None) -> _File:
    content = Content(blob.content_type, name, blob.width, blob.height)
    if side is not None and not blob.inline:
        raise NotFound
    if side is None or not blob.has_thumbnail:
        return _File(blob.path, blob.size, f'"{blob.digest}"', content_headers(content))
    path = blob.thumbnail_path(side)
    content = dataclasses.replace(content, media_type=thumbnails.MEDIA_TYPE, name=f"{name}.webp")
    return _File(path, file_size(path), f'"{blob.digest}-{side}"', content_headers(content))


def _span_of(request: Request | HttpRequest, file: _File) -> tuple[int, int] | None:
    """Start and end (exclusive) of the range that is asked for; None for the whole file.

    What is no single range of bytes, or holds for another version only (`If-Range`), counts as not sent.
    """
    asked = _RANGE.fullmatch(request.META.get("HTTP_RANGE", ""))
    if request.method != "GET" or asked is None or request.META.get("HTTP_IF_RANGE", file.etag) != file.etag:
        return None
    first, last, suffix = asked.groups()
    if suffix is not None:
        start, end = max(0, file.size - int(suffix)), file.size
    else:
        start, end = int(first), min(int(last) + 1 if last else file.size, file.size)
        if last and int(last) < int(first):
            return None
    if start >= end:
        headers = {"Content-Range": f"bytes */{file.size}"}
        raise RangeNotSatisfiable(f"The file has {file.size} bytes.", headers=headers)
    return start, end
