"""Images judged by their headers; another library made them and says the same of their size."""

from __future__ import annotations

import io
import struct

import pytest
from PIL import Image

from security.rasters import MOST_FRAMES, ImageRefused, Raster, Reason, raster_read

GIF_START = b"GIF89a" + struct.pack("<HH", 100, 100) + b"\x80\0\0" + bytes(6)
GIF_FRAME = b"," + struct.pack("<HHHH", 0, 0, 1, 1) + b"\0" + b"\x02\x02L\x01\0"
PNG_START = b"\x89PNG\r\n\x1a\n"


def drawn(kind: str, width: int, height: int, **options: object) -> bytes:
    """An image file by Pillow."""
    content = io.BytesIO()
    Image.effect_noise((width, height), 50).convert("RGB").save(content, kind, **options)
    return content.getvalue()


def moving(kind: str, frames: int) -> bytes:
    """An animation by Pillow."""
    content = io.BytesIO()
    pictures = [Image.effect_noise((40, 30), 50 + number).convert("RGB") for number in range(frames)]
    pictures[0].save(content, kind, save_all=True, append_images=pictures[1:], duration=40)
    return content.getvalue()


def chunk(kind: bytes, body: bytes, length: int | None = None) -> bytes:
    """A chunk of a PNG; its sum is not looked at."""
    return struct.pack(">I", len(body) if length is None else length) + kind + body + bytes(4)


def png(width: int, height: int, *, frames: int | None = None) -> bytes:
    """A PNG as far as to its picture."""
    head = chunk(b"IHDR", struct.pack(">II", width, height) + b"\x08\x02\0\0\0")
    control = b"" if frames is None else chunk(b"acTL", struct.pack(">II", frames, 0))
    return PNG_START + head + control + chunk(b"IDAT", b"")


def jpeg(width: int, height: int, *, marker: int = 0xC0, scans: int = 1) -> bytes:
    """A JPEG of headers alone."""
    size = struct.pack(">HBHHB", 17, 8, height, width, 3) + bytes(9)
    return b"\xff\xd8\xff" + bytes([marker]) + size + b"\xff\xda\0\x02" * scans + b"\xff\xd9"


def refusal(content: bytes) -> Reason:
    """Why the file is no image to be shown."""
    with pytest.raises(ImageRefused) as refused:
        raster_read(io.BytesIO(content))
    return refused.value.reason


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("PNG", {}),
        ("GIF", {}),
        ("JPEG", {}),
        ("JPEG", {"progressive": True, "comment": b"c" * 3000}),
        ("JPEG", {"exif": b"Exif\0\0" + b"II*\0\x08\0\0\0\0\0\0\0\0\0"}),
        ("WEBP", {}),
        ("WEBP", {"lossless": True}),
        ("WEBP", {"exif": b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0"}),
    ],
    ids=str,
)
def test_size_is_what_the_maker_says(kind: str, options: dict[str, object]) -> None:
    """Each format, and each of its ways to tell the size."""
    found = raster_read(io.BytesIO(drawn(kind, 123, 45, **options)))
    assert found == Raster(f"image/{kind.lower()}", 123, 45, 1)


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_frames_are_counted(kind: str) -> None:
    """An animation has as many as its maker gave it."""
    assert raster_read(io.BytesIO(moving(kind, 7))) == Raster(f"image/{kind.lower()}", 40, 30, 7)


@pytest.mark.parametrize(
    "content",
    [
        png(30_000, 30_000),
        png(70_000, 10),
        png(0xFFFF_FFFF, 1),
        jpeg(20_000, 20_000),
        jpeg(65_535, 65_535),
        b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\0\0\0" + GIF_FRAME + b";",
        # The canvas is small, its frame isn't.
        b"GIF89a" + struct.pack("<HH", 1, 1) + b"\0\0\0,\0\0\0\0\xff\xff\xff\xff\0\x02\x02L\x01\0;",
        b"RIFF\x2c\0\0\0WEBPVP8X\x0a\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xffVP8 \0\0\0\0",
        b"RIFF\x2c\0\0\0WEBPVP8 \x0a\0\0\0\0\0\0\x9d\x01\x2a\xff\x3f\xff\x3f",
        b"RIFF\x2c\0\0\0WEBPVP8L\x05\0\0\0\x2f\xff\xff\xff\xff",
    ],
    ids=lambda content: f"{content[:4]!r}-{len(content)}",
)
def test_bomb_of_pixels_is_refused(content: bytes) -> None:
    """A few bytes that would take gigabytes to show."""
    assert refusal(content) is Reason.TOO_LARGE


@pytest.mark.parametrize(
    "content",
    [
        GIF_START + GIF_FRAME * (MOST_FRAMES + 1) + b";",
        png(10, 10, frames=MOST_FRAMES + 1),
        png(9_000, 9_000, frames=1_000),
        jpeg(9_000, 9_000, marker=0xC2, scans=500),
        GIF_START + b"!\xfe" + b"\x01a" * 600_000 + b"\0;",
        b"\xff\xd8" + b"\xff" * 600_000,
    ],
    ids=["gif-frames", "png-frames", "png-work", "jpeg-scans", "gif-blocks", "jpeg-fill"],
)
def test_bomb_of_work_is_refused(content: bytes) -> None:
    """Small pictures, too many of them, or headers that go on for ever."""
    assert refusal(content) is Reason.TOO_MUCH_WORK


def test_many_frames_are_refused_before_the_last_is_read() -> None:
    """The walk ends where the limit is passed: what is broken far behind isn't seen."""
    content = GIF_START + GIF_FRAME * (MOST_FRAMES + 1) + b"broken"
    assert refusal(content) is Reason.TOO_MUCH_WORK


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        PNG_START,
        PNG_START + chunk(b"IDAT", b""),
        png(0, 10),
        PNG_START + chunk(b"IHDR", bytes(13)) + chunk(b"IEND", b""),
        png(10, 10)[:-16] + chunk(b"tEXt", b"", length=0x7FFF_FFFF),
        png(10, 10)[:-16] + chunk(b"tEXt", b"", length=0xFFFF_FFFF),
        b"\xff\xd8\xff\xd9",
        b"\xff\xd8\xff\xda\0\x02",
        b"\xff\xd8\xff\xe0\xff\xff",
        jpeg(0, 10),
        jpeg(10, 0),
        b"\xff\xd8\xff\xe0\0\x02garbage",
        b"GIF89a",
        b"GIF89a" + struct.pack("<HH", 1, 1) + b"\0\0\0;",
        GIF_START + b"<script>",
        b"GIF89a/*\x01\0\0\0*/=alert(1)//",
        b"RIFF\x04\0\0\0WEBP",
        b"RIFF\x04\0\0\0WEBPVP8X\x01\0\0\0\0",
        b"RIFF\x16\0\0\0WEBPVP8X\x0a\0\0\0" + bytes(10),
        b"RIFF\x2c\0\0\0WEBPVP8 \x0a\0\0\0" + bytes(10),
        b"RIFF\x2c\0\0\0WEBPVP8L\x05\0\0\0" + bytes(5),
    ],
    ids=lambda content: f"{content[:4]!r}-{len(content)}",
)
def test_broken_image_is_none(content: bytes) -> None:
    """What begins like an image and is none of it, cut off, or without a picture."""
    assert refusal(content) is Reason.MALFORMED


@pytest.mark.parametrize("kind", ["PNG", "GIF", "JPEG", "WEBP"])
def test_image_cut_anywhere_is_read_or_refused(kind: str) -> None:
    """No cut raises anything else, and none gives another size than the whole has."""
    whole = drawn(kind, 20, 10)
    sizes = set()
    for end in range(0, len(whole), 7):
        try:
            found = raster_read(io.BytesIO(whole[:end]))
        except ImageRefused:
            continue
        sizes.add((found.width, found.height))
    assert sizes <= {(20, 10)}


def test_what_follows_an_image_is_not_part_of_it() -> None:
    """Phones append films to their pictures, and sizes stand before them."""
    assert raster_read(io.BytesIO(drawn("WEBP", 20, 10, exif=b"Exif\0\0II*\0") + b"x")).width == 20
