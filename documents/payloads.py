"""How the bodies of superseded revisions are kept: each as its difference to the one that came after it.

A payload is what lies between the beginning and the end that a body shares with its successor, deflated
(RFC 1950) with the successor's middle as preset dictionary. Deflate looks back 32 KB only, so without the
trimming an edit in a long body would cost as much as the body. Every twentieth is a keyframe that stands
alone, so that a rebuild reads at most twenty rows. Where retention took what stood between two, the older is
packed anew against the newer, or stands alone where that would make the way longer than it was.
"""

from __future__ import annotations

import dataclasses
import hashlib
import struct
import zlib
from collections.abc import Iterable

from documents.matching import shared_start

KEYFRAME_EVERY = 20
_WINDOW = 32 * 1024
_HEADER = struct.Struct(">BII")
_VERSION = 1


class PayloadDamaged(Exception):
    """What is stored doesn't give the body that the revision's SHA-256 promises."""


@dataclasses.dataclass(frozen=True, slots=True)
class Payload:
    """One stored row: the revision's number, that of the newer one whose body it needs, and the bytes."""

    number: int
    base_number: int | None
    data: bytes


def digest(body: str) -> bytes:
    """SHA-256 of a body's UTF-8."""
    return hashlib.sha256(body.encode()).digest()


def payload_for(number: int, body: str, successor: str) -> Payload:
    """The payload of revision `number`, made at the moment when `successor` takes its place."""
    if number % KEYFRAME_EVERY == 0:
        return payload_alone(number, body)
    return payload_against(number, body, number + 1, successor)


def payload_alone(number: int, body: str) -> Payload:
    """A payload that needs no other."""
    return Payload(number, None, pack(body.encode(), b""))


def payload_against(number: int, body: str, base_number: int, base: str) -> Payload:
    """A payload that needs the body of a newer revision."""
    return Payload(number, base_number, pack(body.encode(), base.encode()))


def rebuild(chain: Iterable[Payload], head: str, sha256: bytes) -> str:
    """The body at the end of `chain`, which goes from newest to oldest, each the base of the next.

    `head` is the body of the newest payload's successor, not used where the chain begins with a keyframe.
    Raises PayloadDamaged where the result isn't the body that `sha256` was taken of.
    """
    body = head.encode()
    for payload in chain:
        body = unpack(payload.data, b"" if payload.base_number is None else body)
    if hashlib.sha256(body).digest() != sha256:
        raise PayloadDamaged
    return body.decode()


def body_of(data: bytes, base: bytes, sha256: bytes) -> bytes:
    """One step of `rebuild`: the body packed against `base`, empty for none. Raises PayloadDamaged."""
    body = unpack(data, base)
    if hashlib.sha256(body).digest() != sha256:
        raise PayloadDamaged
    return body


def pack(body: bytes, successor: bytes) -> bytes:
    """`body` as its difference to `successor`; empty for none."""
    start = shared_start(body, successor)
    limit = min(len(body), len(successor)) - start
    end = min(shared_start(body[::-1], successor[::-1]), limit)
    middle = body[start : len(body) - end]
    deflate = _deflater(successor[start : len(successor) - end])
    return _HEADER.pack(_VERSION, start, end) + deflate.compress(middle) + deflate.flush()


def unpack(data: bytes, successor: bytes) -> bytes:
    """The inverse of `pack`. Raises PayloadDamaged for bytes that it can't have made of this successor."""
    try:
        version, start, end = _HEADER.unpack_from(data)
        if version != _VERSION or start + end > len(successor):
            raise PayloadDamaged
        inflate = _inflater(successor[start : len(successor) - end])
        middle = inflate.decompress(data[_HEADER.size :]) + inflate.flush()
    except (struct.error, zlib.error) as error:
        raise PayloadDamaged from error
    return successor[:start] + middle + successor[len(successor) - end :]


def _deflater(dictionary: bytes) -> zlib._Compress:
    if not dictionary:
        return zlib.compressobj(level=9)
    return zlib.compressobj(level=9, zdict=dictionary[-_WINDOW:])


def _inflater(dictionary: bytes) -> zlib._Decompress:
    if not dictionary:
        return zlib.decompressobj()
    return zlib.decompressobj(zdict=dictionary[-_WINDOW:])
