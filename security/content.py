"""What an uploaded file is, and the headers under which it may be given back. Pure.

Neither the name nor the Content-Type that came with a file says what it is: the bytes do. A file that can
be read in two ways is answered as the more dangerous of them. Only raster images of a harmless size are shown
in place; everything else is handed over as a file, in a sandbox, whatever its type.
"""

from __future__ import annotations

import dataclasses
import re
from typing import IO
from urllib.parse import quote

from security.file_names import name_safe
from security.rasters import RASTERS, ImageRefused, Reason, raster_read
from security.sniffing import UNKNOWN, media_type_sniff

# Of the start and of the end of a file as much is read as lets an archive's directory be seen.
_ENDS = 64 * 1024 + 22
# RFC 8187: whatever stands in an extended value as it is.
_PLAIN = "!#$&+-.^_`|~"
_SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'"
# Quotes and backslashes would end the name or escape in it; some browsers decode `%41` in it (RFC 6266, D).
_UNQUOTABLE = re.compile(r"[^ -~]|[\"\\%]")


@dataclasses.dataclass(frozen=True, slots=True)
class Content:
    """What a file is: its true media type, a harmless name, pixels where it may be shown in place."""

    media_type: str
    name: str
    width: int | None = None
    height: int | None = None

    @property
    def inline(self) -> bool:
        """Whether a browser may show it in place of storing it."""
        return self.media_type in RASTERS and bool(self.width and self.height)


def content_inspect(file: IO[bytes], *, name: str) -> Content:
    """What the bytes of a seekable file are; `name` is what its sender calls it. Leaves it at its start.

    Never raises for what stands in the file: what isn't understood is `application/octet-stream`, and an
    image that is broken or a bomb is no inline one. Reads the ends and, of an image, the block headers.
    """
    head, tail = _ends(file)
    media_type, width, height = media_type_sniff(head, tail), None, None
    if media_type in RASTERS:
        try:
            raster = raster_read(file)
            width, height = raster.width, raster.height
        except ImageRefused as refused:
            # A bomb is still an image, for whoever wants to open it; what only begins like one isn't.
            media_type = UNKNOWN if refused.reason is Reason.MALFORMED else media_type
    file.seek(0)
    return Content(media_type, name_safe(name), width, height)


def content_headers(content: Content) -> dict[str, str]:
    """The headers of an answer that gives the file: type, disposition, and no rights for what it may hold."""
    charset = "; charset=utf-8" if content.media_type == "text/plain" else ""
    return {
        "Content-Type": content.media_type + charset,
        "Content-Disposition": disposition(content.name, inline=content.inline),
        "Content-Security-Policy": _SANDBOX,
        "X-Content-Type-Options": "nosniff",
    }


def disposition(name: str, *, inline: bool = False) -> str:
    """A Content-Disposition (RFC 6266) for a safe name: in ASCII, and whole where that loses something."""
    # Django's content_disposition_header gives no ASCII name beside the extended one, and quotes `%41`.
    plain = _UNQUOTABLE.sub("_", name)
    whole = "" if plain == name else f"; filename*=UTF-8''{quote(name, safe=_PLAIN)}"
    return f'{"inline" if inline else "attachment"}; filename="{plain}"{whole}'


def _ends(file: IO[bytes]) -> tuple[bytes, bytes]:
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(_ENDS)
    file.seek(max(0, size - _ENDS))
    return head, file.read(_ENDS)
