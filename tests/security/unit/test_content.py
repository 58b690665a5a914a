"""What a file is by its bytes, hostile ones first, and how it may be given back."""

from __future__ import annotations

import io
import tarfile
import zipfile

import pytest
from django.core.files.uploadedfile import TemporaryUploadedFile
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from security.content import Content, content_headers, content_inspect, disposition

HTML, SVG, UNKNOWN = "text/html", "image/svg+xml", "application/octet-stream"
OFFICE = "application/vnd.openxmlformats-officedocument."
PNG_START = b"\x89PNG\r\n\x1a\n"
SCRIPT = b"<script>alert(1)</script>"
XMP = b'<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF/></x:xmpmeta>'


def drawn(kind: str, **options: object) -> bytes:
    """A small picture."""
    content = io.BytesIO()
    Image.effect_noise((64, 48), 50).convert("RGB").save(content, kind, **options)
    return content.getvalue()


def png_with_text(text: str) -> bytes:
    """A PNG whose metadata says something."""
    about = PngImagePlugin.PngInfo()
    about.add_text("Comment", text)
    return drawn("PNG", pnginfo=about)


def zipped(*names: str, first: bytes = b"") -> bytes:
    """An archive of these files; the first, stored as it is, holds `first`."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number, name in enumerate(names):
            archive.writestr(zipfile.ZipInfo(name), first if number == 0 else b"x")
    return content.getvalue()


def tarred() -> bytes:
    """A tape archive."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return content.getvalue()


def inspected(content: bytes, name: str = "file") -> Content:
    """What the file is."""
    return content_inspect(io.BytesIO(content), name=name)


MARKUP = {
    b"<!DOCTYPE html><title>x</title>": HTML,
    b"\xef\xbb\xbf \n<HTML>": HTML,
    SCRIPT: HTML,
    b"<img src=x onerror=alert(1)>": HTML,
    b"<!-- a --><!-- b -->\n<body onload=alert(1)>": HTML,
    "<script>alert(1)</script>".encode("utf-16"): HTML,
    b"<html>\0\x01\x02" + bytes(100): HTML,
    b"<script>%PDF-1.7</script>": HTML,
    b'<?xml version="1.0"?><!DOCTYPE html><html/>': "application/xhtml+xml",
    b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"/>': "application/xhtml+xml",
    b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>': SVG,
    b"<?xml version='1.0'?>\n<!-- x -->\n<!DOCTYPE svg PUBLIC '-//W3C//DTD SVG 1.1//EN' 'x'>\n<svg/>": SVG,
    b'<!DOCTYPE svg [<!ENTITY a "<x>">]><svg onload="alert(1)"/>': SVG,
    b'<x:svg xmlns:x="http://www.w3.org/2000/svg"/>': SVG,
    b'<a xmlns="http://www.w3.org/2000/svg"><script/></a>': SVG,
    b'<?xml version="1.0"?><rss/>': "application/xml",
    b'<?xml-stylesheet href="a.xsl"?><a xmlns="x"/>': "application/xml",
}


@pytest.mark.parametrize(("content", "media_type"), MARKUP.items(), ids=lambda value: repr(value)[:40])
@pytest.mark.parametrize("name", ["picture.png", "page.html"])
def test_markup_is_never_inline(content: bytes, media_type: str, name: str) -> None:
    """Whatever it is called, whatever stands before it."""
    found = inspected(content, name)
    assert (found.media_type, found.inline) == (media_type, False)


POLYGLOTS = {
    "gif-html": (drawn("GIF") + SCRIPT, HTML),
    "gif-comment-html": (b"GIF89a" + b"\x01\0\x01\0\0\0\0" + b"!\xfe\x19" + SCRIPT + b"\0;", HTML),
    "png-html": (png_with_text(SCRIPT.decode()), HTML),
    "png-svg": (png_with_text("<SVG onload=alert(1)>"), HTML),
    "jpeg-html": (drawn("JPEG", comment=b"<html><body>"), HTML),
    "jpeg-html-and-zip": (drawn("JPEG", comment=SCRIPT) + zipped("a.txt"), HTML),
    "webp-html": (drawn("WEBP") + b"<iframe src=//x>", HTML),
    "jpeg-pdf": (drawn("JPEG", comment=b"%PDF-1.4 x"), "application/pdf"),
    "gif-zip": (drawn("GIF") + zipped("a.txt"), "application/zip"),
    "png-jar": (drawn("PNG") + zipped("META-INF/MANIFEST.MF"), "application/java-archive"),
    "png-apk": (drawn("PNG") + zipped("AndroidManifest.xml"), "application/vnd.android.package-archive"),
    "pdf-with-junk-first": (b"junk" * 100 + b"%PDF-1.7", "application/pdf"),
    "pdf-exe": (b"MZ\x90\0%PDF-1.7" + bytes(100), "application/pdf"),
}


@pytest.mark.parametrize(("content", "media_type"), POLYGLOTS.values(), ids=POLYGLOTS)
def test_polyglot_is_what_it_is_most_dangerous_as(content: bytes, media_type: str) -> None:
    """A picture that is something else as well is not shown as a picture."""
    found = inspected(content, "cat.gif")
    assert (found.media_type, found.inline) == (media_type, False)


@pytest.mark.parametrize(
    ("ending", "media_type"),
    [
        (SCRIPT, HTML),
        (SCRIPT + bytes(60_000), HTML),
        (zipped("a.txt"), "application/zip"),
        (b"", "image/png"),
    ],
    ids=["html", "html-before-the-end", "zip", "none"],
)
def test_end_of_a_long_file_is_looked_at(ending: bytes, media_type: str) -> None:
    """Archives are read from there, and so are we."""
    content = io.BytesIO()
    Image.effect_noise((700, 500), 80).convert("RGB").save(content, "PNG")
    assert content.tell() > 200_000
    assert inspected(content.getvalue() + ending).media_type == media_type


@pytest.mark.parametrize("media_type", ["image/png", "image/svg+xml"])
def test_size_that_was_kept_for_a_bomb_or_a_picture_of_markup_shows_nothing(media_type: str) -> None:
    """Inline takes both: a raster type, and a size that was found harmless."""
    assert not Content(media_type, "a", None if media_type == "image/png" else 10, 10).inline


@given(
    st.sampled_from(
        [
            b"",
            b"GIF89a",
            PNG_START,
            b"\xff\xd8\xff",
            b"RIFF\0\0\0\0WEBPVP8X",
            b"PK\x03\x04",
            b"<?xml",
            b"<svg",
        ]
    ),
    st.binary(max_size=200),
    st.text(max_size=20),
)
def test_no_bytes_are_too_odd(start: bytes, rest: bytes, name: str) -> None:
    """Whatever comes is something, and can be given back under headers that hold together."""
    headers = content_headers(inspected(start + rest, name))
    assert all(value.isascii() and value.isprintable() for value in headers.values())
    assert "sandbox" in headers["Content-Security-Policy"]


def test_upload_is_read_as_it_comes() -> None:
    """A file of Django's, in memory or on disk, is inspected as any other."""
    with TemporaryUploadedFile("evil.html", "text/html", 10, None) as upload:
        upload.write(drawn("PNG"))
        found = content_inspect(upload, name=upload.name or "")
        assert (found.media_type, found.name, found.inline) == ("image/png", "evil.html", True)
        assert upload.tell() == 0


@pytest.mark.parametrize(
    "content",
    [b"GIF89a/*\x01\0\0\0*/=alert(1)//", PNG_START + SCRIPT[1:], b"\xff\xd8\xff\xd9", b"GIF89a"],
    ids=repr,
)
def test_what_only_begins_like_an_image_is_unknown(content: bytes) -> None:
    """The signature of an image alone makes none."""
    assert inspected(content, "a.gif").media_type == UNKNOWN


def test_bomb_is_an_image_but_not_inline() -> None:
    """Who wants it may have it as a file."""
    found = inspected(b"GIF89a\xff\xff\xff\xff\0\0\0,\0\0\0\0\x01\0\x01\0\0\x02\x02L\x01\0;")
    assert found == Content("image/gif", "file", None, None)
    assert not found.inline


@pytest.mark.parametrize(
    "content",
    [
        drawn("PNG"),
        drawn("JPEG"),
        drawn("GIF"),
        drawn("WEBP"),
        png_with_text(XMP.decode()),
        png_with_text("a < b, c > d; <mxfile host='x'><diagram/></mxfile>"),
        drawn("WEBP", xmp=XMP),
        drawn("JPEG") + b"\0\0\0\x18ftypmp42" + bytes(1000),  # a phone's moving photo
    ],
    ids=lambda content: f"{content[:4]!r}-{len(content)}",
)
def test_raster_image_is_inline(content: bytes) -> None:
    """Under any name, with the metadata that cameras and editors write."""
    found = inspected(content, "page.html")
    assert found.inline
    assert (found.width, found.height) == (64, 48)


OTHERS = {
    b"": "text/plain",
    b"just text": "text/plain",
    "Übersicht".encode("latin-1"): "text/plain",
    b"# Title\n\nSome <script>alert(1)</script> in the midst": "text/plain",
    b"<!-- a note -->\n# Title": "text/plain",
    b"<https://example.org> is an address": "text/plain",
    b"alert(1)": "text/plain",
    b"body { color: red }": "text/plain",
    b"BMW and MZ are letters": "text/plain",
    b"%PDF-1.7\nall of it text": "application/pdf",
    b"{\\rtf1\\ansi x}": "application/rtf",
    b"%!PS-Adobe-3.0": "application/postscript",
    zipped("a.txt"): "application/zip",
    zipped("[Content_Types].xml", "word/document.xml"): OFFICE + "wordprocessingml.document",
    zipped("[Content_Types].xml", "xl/workbook.xml"): OFFICE + "spreadsheetml.sheet",
    zipped("ppt/presentation.xml"): OFFICE + "presentationml.presentation",
    zipped("word/document.xml", "word/vbaProject.bin"): "application/vnd.ms-word.document.macroEnabled.12",
    tarred(): "application/x-tar",
    b"MZ\x90\0" + bytes(100): "application/vnd.microsoft.portable-executable",
    b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom": "video/mp4",
    b"fLaC\0\0\0\x22" + bytes(34): "audio/flac",
    b"\x1f\x8b\x08\0" + bytes(20): "application/x-gzip",
    bytes(range(1, 9)): UNKNOWN,
    b"FWS\x05" + bytes(30): UNKNOWN,  # a Flash film: nothing that a page could run
}


@pytest.mark.parametrize(("content", "media_type"), OTHERS.items(), ids=lambda value: repr(value)[:40])
def test_other_files_are_named_and_never_inline(content: bytes, media_type: str) -> None:
    """Text is text, so that no page can take it for a script or a style sheet."""
    found = inspected(content, "a.js")
    assert (found.media_type, found.inline) == (media_type, False)


@pytest.mark.parametrize("media_type", ["application/vnd.oasis.opendocument.text", "application/epub+zip"])
def test_archive_that_names_its_type(media_type: str) -> None:
    """The first file of it says so, in clear."""
    assert inspected(zipped("mimetype", "content.xml", first=media_type.encode())).media_type == media_type


def test_archive_cannot_name_any_type() -> None:
    """Only those that such archives have."""
    assert inspected(zipped("mimetype", "a", first=b"application/xhtml+xml")).media_type == "application/zip"


def test_file_is_left_at_its_start() -> None:
    """So that whoever stores it stores all of it."""
    file = io.BytesIO(drawn("PNG"))
    content_inspect(file, name="a.png")
    assert file.tell() == 0


def test_headers_of_an_image() -> None:
    """Shown in place, without any right for what else it may hold."""
    assert content_headers(Content("image/png", "cat.png", 64, 48)) == {
        "Content-Type": "image/png",
        "Content-Disposition": 'inline; filename="cat.png"',
        "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; "
        "base-uri 'none'; frame-ancestors 'none'",
        "X-Content-Type-Options": "nosniff",
    }


@pytest.mark.parametrize("media_type", [HTML, SVG, "text/plain", "application/pdf", "image/tiff"])
def test_headers_of_anything_else(media_type: str) -> None:
    """A file to be stored, even if somebody wrote down a size for it."""
    headers = content_headers(Content(media_type, "a", 64, 48))
    assert headers["Content-Disposition"] == 'attachment; filename="a"'
    assert headers["Content-Security-Policy"].startswith("sandbox;")


def test_text_is_told_with_its_letters() -> None:
    """Clients take text without a charset for Latin-1."""
    assert content_headers(Content("text/plain", "a"))["Content-Type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("a b.txt", 'attachment; filename="a b.txt"'),
        ("März €.pdf", "attachment; filename=\"M_rz _.pdf\"; filename*=UTF-8''M%C3%A4rz%20%E2%82%AC.pdf"),
        ("%41.txt", "attachment; filename=\"_41.txt\"; filename*=UTF-8''%2541.txt"),
        (
            'a"; filename="b',
            "attachment; filename=\"a_; filename=_b\"; filename*=UTF-8''a%22%3B%20filename%3D%22b",
        ),
        ("a\r\nX: y", "attachment; filename=\"a__X: y\"; filename*=UTF-8''a%0D%0AX%3A%20y"),
    ],
)
def test_disposition(name: str, header: str) -> None:
    """By RFC 6266 and 8187; a name that was not made safe can't leave its place either."""
    assert disposition(name) == header
