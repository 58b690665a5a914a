"""Raster images judged by their block headers: nothing is decoded, unpacked or held. Pure.

A library that opens an image also prepares to decode it: Pillow takes a WebP into memory whole, starts its
decoder to ask for the size, and counts the frames of a GIF for as long as there are any. Here reads have an
end, whatever the headers say.
"""

from __future__ import annotations

import dataclasses
import enum
import re
from collections.abc import Iterator
from typing import IO

PNG, JPEG, GIF, WEBP = "image/png", "image/jpeg", "image/gif", "image/webp"
RASTERS = frozenset({PNG, JPEG, GIF, WEBP})

# What a browser holds for one picture: 4 bytes a pixel.
MOST_PIXELS = 100_000_000
MOST_SIDE = 65_535
# What it works through: frames of an animation, passes of a progressive JPEG, each over the whole picture.
MOST_FRAMES = 5_000
MOST_WORK = 5_000_000_000
# A GIF of 100 MB has 400,000 blocks.
_MOST_STEPS = 500_000
_CHUNK = 1024 * 1024
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_SCAN = re.compile(rb"\xff\xda")


class Reason(enum.StrEnum):
    """Why an image is not shown in place."""

    MALFORMED = "malformed"  # not one of the formats, or broken before its first picture
    TOO_LARGE = "too_large"  # more pixels than a browser should hold
    TOO_MUCH_WORK = "too_much_work"  # too many frames or passes


class ImageRefused(Exception):
    """An image that is none, or too much for whoever looks at it; `reason` says which."""

    def __init__(self, reason: Reason) -> None:
        self.reason = reason
        super().__init__(str(reason))


@dataclasses.dataclass(frozen=True, slots=True)
class Raster:
    """A picture: width and height in pixels; frames of an animation, else 1."""

    media_type: str
    width: int
    height: int
    frames: int = 1


def raster_signature(head: bytes) -> str | None:
    """The format that the first 16 bytes announce, None for any other."""
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith((b"GIF87a", b"GIF89a")):
        return GIF
    if head.startswith(b"RIFF") and head[8:15] == b"WEBPVP8":
        return WEBP
    return None


def raster_read(file: IO[bytes]) -> Raster:
    """The size and frames of a seekable file. Raises ImageRefused for what is no image or too much of one."""
    file.seek(0)
    media_type = raster_signature(file.read(16))
    if media_type is None:
        raise ImageRefused(Reason.MALFORMED)
    reader = {PNG: _png, JPEG: _jpeg, GIF: _gif, WEBP: _webp}[media_type]
    width, height, frames, passes = reader(_Blocks(file))
    if not width or not height:
        raise ImageRefused(Reason.MALFORMED)
    if width > MOST_SIDE or height > MOST_SIDE or width * height > MOST_PIXELS:
        raise ImageRefused(Reason.TOO_LARGE)
    if frames > MOST_FRAMES or width * height * max(frames, passes) > MOST_WORK:
        raise ImageRefused(Reason.TOO_MUCH_WORK)
    return Raster(media_type, width, height, max(1, frames))


class _Blocks:
    """A file read in exact pieces, each counted: headers that lead nowhere or round about have an end."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self._steps = 0
        self.size = file.seek(0, 2)
        file.seek(0)

    def take(self, length: int) -> bytes:
        """The next bytes, all of them."""
        self._steps += 1
        if self._steps > _MOST_STEPS:
            raise ImageRefused(Reason.TOO_MUCH_WORK)
        piece = self.file.read(length)
        if len(piece) != length:
            raise ImageRefused(Reason.MALFORMED)
        return piece

    def skip(self, length: int) -> None:
        """Pass over bytes that must be there."""
        if self.file.seek(length, 1) > self.size:
            raise ImageRefused(Reason.MALFORMED)

    def number(self, length: int = 1) -> int:
        """The next bytes as an unsigned number, the highest first."""
        return int.from_bytes(self.take(length), "big")

    def little(self, length: int) -> int:
        """The next bytes as an unsigned number, the lowest first."""
        return int.from_bytes(self.take(length), "little")

    def ends_at(self, end: int) -> bool:
        """Whether nothing is left before `end`."""
        return self.file.tell() >= min(end, self.size)


def _png(blocks: _Blocks) -> tuple[int, int, int, int]:
    blocks.skip(8)
    if blocks.take(8) != b"\0\0\0\x0dIHDR":
        raise ImageRefused(Reason.MALFORMED)
    width, height = blocks.number(4), blocks.number(4)
    blocks.skip(5 + 4)
    frames = 1
    # The number of frames stands before the picture, or there are none.
    while (chunk := (blocks.number(4), blocks.take(4)))[1] != b"IDAT":
        length, kind = chunk
        if kind == b"IEND" or length > 0x7FFF_FFFF:
            raise ImageRefused(Reason.MALFORMED)
        if kind == b"acTL":
            frames = blocks.number(4)
            length -= 4
        blocks.skip(length + 4)
    return width, height, frames, 1


def _jpeg(blocks: _Blocks) -> tuple[int, int, int, int]:
    blocks.skip(2)
    while True:
        if blocks.number() != 0xFF:
            raise ImageRefused(Reason.MALFORMED)
        while (marker := blocks.number()) == 0xFF:
            pass  # fill bytes
        if marker == 0x01 or 0xD0 <= marker <= 0xD7:
            continue  # markers without a body
        if marker in (0x00, 0xD8, 0xD9, 0xDA):
            raise ImageRefused(Reason.MALFORMED)  # the picture begins, or all ends, before its size was told
        length = blocks.number(2)
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            blocks.skip(1)
            height, width = blocks.number(2), blocks.number(2)
            return width, height, 1, _scans(blocks.file) if marker in _PROGRESSIVE else 1
        blocks.skip(max(0, length - 2))


def _scans(file: IO[bytes]) -> int:
    """How often a scan begins in what follows: in a picture's data these two bytes stand nowhere else."""
    found, last = 0, b""
    while piece := file.read(_CHUNK):
        found += len(_SCAN.findall(last + piece))
        last = piece[-1:] if piece.endswith(b"\xff") else b""
    return found


def _gif(blocks: _Blocks) -> tuple[int, int, int, int]:
    blocks.skip(6)
    width, height = blocks.little(2), blocks.little(2)
    _colours_skip(blocks, 2)
    frames = 0
    while not blocks.ends_at(blocks.size) and (kind := blocks.number()) != 0x3B:
        if kind == 0x2C:
            left, top, wide, high = (blocks.little(2) for _ in range(4))
            # Browsers widen the canvas for a frame that is larger than what the file announces.
            width, height, frames = max(width, left + wide), max(height, top + high), frames + 1
            _colours_skip(blocks, 0)
        elif kind != 0x21:
            raise ImageRefused(Reason.MALFORMED)
        blocks.skip(1)  # the least code size of a picture, the label of an extension
        if frames > MOST_FRAMES:
            break
        _sub_blocks_skip(blocks)
    if not frames:
        raise ImageRefused(Reason.MALFORMED)
    return width, height, frames, 1


def _colours_skip(blocks: _Blocks, after: int) -> None:
    flags = blocks.number()
    blocks.skip(after + (3 << ((flags & 7) + 1) if flags & 0x80 else 0))


def _sub_blocks_skip(blocks: _Blocks) -> None:
    while not blocks.ends_at(blocks.size) and (length := blocks.number()):
        blocks.skip(min(length, 255))


def _webp(blocks: _Blocks) -> tuple[int, int, int, int]:
    blocks.skip(4)
    end = blocks.little(4) + 8
    blocks.skip(4)
    kind, length = blocks.take(4), blocks.little(4)
    if kind == b"VP8 ":
        blocks.skip(3)
        if blocks.take(3) != b"\x9d\x01\x2a":
            raise ImageRefused(Reason.MALFORMED)
        width, height = (blocks.little(2) & 0x3FFF for _ in range(2))
        return width, height, 1, 1
    if kind == b"VP8L":
        if blocks.number() != 0x2F:
            raise ImageRefused(Reason.MALFORMED)
        sizes = blocks.little(4)
        return (sizes & 0x3FFF) + 1, (sizes >> 14 & 0x3FFF) + 1, 1, 1
    if kind != b"VP8X" or length < 10:
        raise ImageRefused(Reason.MALFORMED)
    blocks.skip(4)
    width, height = (blocks.little(3) + 1 for _ in range(2))
    blocks.skip(length - 10 + length % 2)
    frames = sum(kind in (b"VP8 ", b"VP8L", b"ANMF") for kind in _riff_kinds(blocks, end))
    if not frames:
        raise ImageRefused(Reason.MALFORMED)
    return width, height, frames, 1


def _riff_kinds(blocks: _Blocks, end: int) -> Iterator[bytes]:
    """The names of the chunks that follow; what stands behind the end is none of them."""
    while not blocks.ends_at(end):
        kind, length = blocks.take(4), blocks.little(4)
        blocks.skip(length + length % 2)
        yield kind
