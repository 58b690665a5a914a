"""The media type of a file by its bytes alone. Pure.

Types that browsers run or style pages with (scripts, style sheets) are never answered: text that is no markup
is `text/plain`, so that no page can take it for a script.
"""

from __future__ import annotations

import codecs
import re

import puremagic

from security.rasters import raster_signature

UNKNOWN = "application/octet-stream"
_TEXT = "text/plain"
_HTML = "text/html"
_XHTML = "application/xhtml+xml"
_SVG = "image/svg+xml"
_PDF = "application/pdf"

# Bytes that no text holds, by the MIME Sniffing Standard.
_BINARY = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f]")
# With what HTML begins by the same standard, and the tags that act without a page around them.
_HTML_ROOTS = re.compile(
    "a|applet|b|base|body|br|button|center|details|div|embed|font|form|frame|frameset|h1|head|hr|html|iframe"
    "|img|input|link|marquee|math|meta|object|p|script|style|table|template|title|video"
)
# In an image's metadata there is XML of many kinds, none of it with these.
_ACTIVE = re.compile(
    rb"<(?:!doctype\s+html|html|head|body|script|iframe|object|embed|svg|style)[\s/>]", re.IGNORECASE
)
_ROOT = re.compile(r"<(?:([a-z_][\w.-]*):)?([a-z_][\w.-]*)(?=[\s/>])")
_SPACES = re.compile(r"[\ufeff\s]*")
# The end of a ZIP archive of one part: four bytes alone stand by chance in one image of 65,000.
_ZIP_END = b"PK\x05\x06\0\0\0\0"
_ZIP_STARTS = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_ZIP_MIMETYPE = re.compile(
    rb"PK\x03\x04.{22}\x08\0..mimetype(application/(?:vnd\.oasis\.opendocument\.[a-z-]+|epub\+zip))",
    re.DOTALL,
)
_OFFICE = "application/vnd.openxmlformats-officedocument."
# By a file inside that no other kind has; the first that fits, so macros before documents.
_ZIP_PARTS = (
    (b"word/vbaProject.bin", "application/vnd.ms-word.document.macroEnabled.12"),
    (b"xl/vbaProject.bin", "application/vnd.ms-excel.sheet.macroEnabled.12"),
    (b"ppt/vbaProject.bin", "application/vnd.ms-powerpoint.presentation.macroEnabled.12"),
    (b"AndroidManifest.xml", "application/vnd.android.package-archive"),
    (b"META-INF/MANIFEST.MF", "application/java-archive"),
    (b"word/document.xml", _OFFICE + "wordprocessingml.document"),
    (b"xl/workbook.xml", _OFFICE + "spreadsheetml.sheet"),
    (b"ppt/presentation.xml", _OFFICE + "presentationml.presentation"),
)
# What the database of signatures may answer: nothing that a page could run or be.
_PASSIVE = re.compile(
    r"(?:application|audio|font|image|video)/(?!.*(?:html|xml|script|css|flash))[a-z0-9.+-]+"
)
_LEAST_CONFIDENCE = 0.2  # signatures of two bytes


def media_type_sniff(head: bytes, tail: bytes) -> str:
    """The media type of a file that begins with `head` and ends with `tail` (all of it, if short)."""
    raster = raster_signature(head)
    if raster is not None:
        return _hidden(head, tail) or raster
    if b"%PDF-" in head[:1024]:
        return _HTML if _ACTIVE.match(head.lstrip()) else _PDF
    if not head.startswith(_utf16()) and _BINARY.search(head):
        return _binary(head, tail)
    return _text(head)


def _utf16() -> tuple[bytes, bytes]:
    return codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE


def _hidden(head: bytes, tail: bytes) -> str | None:
    """What else an image is, the most dangerous first."""
    if _ACTIVE.search(head) or _ACTIVE.search(tail):
        return _HTML
    if b"%PDF-" in head[:1024]:
        return _PDF
    if _ZIP_END in tail:
        return _zip(head, tail)
    return None


def _binary(head: bytes, tail: bytes) -> str:
    if head.startswith(_ZIP_STARTS):
        return _zip(head, tail)
    # HTML may have bytes of no text in it; browsers go by its start.
    if (markup := _markup(head.decode("utf-8", "replace"))) is not None:
        return markup
    try:
        found = puremagic.magic_string(head + tail)
    except puremagic.PureError:
        return UNKNOWN
    likely = (each.mime_type for each in found if each.confidence >= _LEAST_CONFIDENCE)
    return next((name for name in likely if _PASSIVE.fullmatch(name)), UNKNOWN)


def _zip(head: bytes, tail: bytes) -> str:
    if match := _ZIP_MIMETYPE.match(head):
        return match[1].decode()
    # Names stand in clear before each file and again in the directory at the end.
    return next((kind for part, kind in _ZIP_PARTS if part in head or part in tail), "application/zip")


def _text(head: bytes) -> str:
    encoding = "utf-16" if head.startswith(_utf16()) else "utf-8-sig"
    text = head.decode(encoding, "replace")
    if text.startswith("{\\rtf"):
        return "application/rtf"
    if text.startswith("%!PS"):
        return "application/postscript"
    return _markup(text) or _TEXT


def _markup(text: str) -> str | None:
    """The type of HTML, SVG and other XML, by the first element; None for what is no markup."""
    text = text.lower()
    rest, declared = _after_prolog(text)
    if rest.startswith("<!doctype html"):
        return _XHTML if declared else _HTML
    root = _ROOT.match(rest)
    if root is None:
        return "application/xml" if declared else None
    prefix, name = root.groups()
    if name == "svg" or "http://www.w3.org/2000/svg" in text:
        return _SVG
    if "http://www.w3.org/1999/xhtml" in text:
        return _XHTML if declared else _HTML
    if _HTML_ROOTS.fullmatch(name) and not prefix and not declared:
        return _HTML
    return "application/xml" if declared or "xmlns" in text else None


def _after_prolog(text: str) -> tuple[str, bool]:
    """What follows white space, comments, instructions and a foreign doctype; whether XML was declared."""
    at, declared = _spaces_skip(text, 0), False
    while True:
        if text.startswith("<!--", at):
            end = "-->"
        elif text.startswith("<?", at):
            declared, end = declared or text.startswith("<?xml", at), "?>"
        elif text.startswith("<!doctype", at) and not text.startswith("<!doctype html", at):
            end = "]>" if 0 <= text.find("[", at) < text.find(">", at) else ">"
        else:
            return text[at:], declared
        found = text.find(end, at)
        at = len(text) if found < 0 else _spaces_skip(text, found + len(end))


def _spaces_skip(text: str, at: int) -> int:
    match = _SPACES.match(text, at)
    return match.end() if match else at
