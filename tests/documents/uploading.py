"""Uploads as clients send them, and small files of each kind."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from tests.documents.world import World
from tests.fixtures import ApiClient

BOUNDARY = "boundary-of-tests"
FORM = f"multipart/form-data; boundary={BOUNDARY}"


def part(content: bytes, *, name: str = "file", filename: str | None = "notes.txt", kind: str = "") -> bytes:
    """One part of a form."""
    shown = "" if filename is None else f'; filename="{filename}"'
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{shown}\r\n'
    head += f"Content-Type: {kind}\r\n" if kind else ""
    return head.encode() + b"\r\n" + content + b"\r\n"


def form(*parts: bytes) -> bytes:
    """A whole form."""
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def upload(client: ApiClient, document: str, content: bytes = b"some text", **options: Any) -> Any:
    """The answer to attaching a file; `headers` go on the request, the rest describes the part."""
    headers = {"Content_Type": FORM, **options.pop("headers", {})}
    return client.call(
        "POST", f"documents/{document}/attachments/", raw=form(part(content, **options)), **headers
    )


def attach(world: World, document: str, content: bytes = b"some text", **options: Any) -> dict[str, Any]:
    """What is known about a new attachment of the owner's."""
    known: dict[str, Any] = world.ok(upload(world.owner, document, content, **options), 201)
    return known


def picture(kind: str = "PNG", size: tuple[int, int] = (640, 480), **options: Any) -> bytes:
    """An image file."""
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 60)).save(out, kind, **options)
    return out.getvalue()


def body_of(answer: Any) -> bytes:
    """The bytes of an answer, streamed or not."""
    return b"".join(answer) if answer.streaming else bytes(answer.content)
