"""`python -m documents.thumbnails_worker`: an image on the standard input, its pictures on the output.

Out: for each of SIDES a length, four bytes (big-endian), and so many bytes of WebP. What needs more memory or
CPU than is given ends the process, which is why it is one.
"""

from __future__ import annotations

import io
import resource
import struct
import sys

from PIL import Image, ImageOps

from documents.thumbnails import SIDES
from security.rasters import MOST_PIXELS

# 100 million pixels of four bytes, and the smaller copy beside them.
_MEMORY_BYTES = 1024 * 1024 * 1024
_CPU_SECONDS = 30
_FORMATS = ("PNG", "JPEG", "GIF", "WEBP")


def main() -> None:
    """Open, turn as the camera was held, shrink, write without anything else that the file tells."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_SECONDS, _CPU_SECONDS))
    Image.MAX_IMAGE_PIXELS = MOST_PIXELS
    with Image.open(sys.stdin.buffer, formats=_FORMATS) as image:
        # JPEGs are decoded at a fraction of their size where that suffices.
        image.draft("RGB", (2 * max(SIDES), 2 * max(SIDES)))
        picture = ImageOps.exif_transpose(image)
        picture = picture.convert("RGBA" if picture.has_transparency_data else "RGB")
    made = []
    for side in sorted(SIDES, reverse=True):
        picture.thumbnail((side, side))
        encoded = io.BytesIO()
        picture.save(encoded, "WEBP", quality=80, method=4, exif=b"", xmp=b"", icc_profile=b"")
        made.append(encoded.getvalue())
    for content in reversed(made):
        sys.stdout.buffer.write(struct.pack(">I", len(content)) + content)


if __name__ == "__main__":
    main()
