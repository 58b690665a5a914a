"""Small pictures of images, made in a process of their own that ends however hostile the image is."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from typing import BinaryIO

# The longest side, in pixels, of each picture that is made.
SIDES = (256, 1024)
MEDIA_TYPE = "image/webp"
# Longer than the CPU seconds that the process has, for a busy machine.
_SECONDS = 90
_COMMAND = (sys.executable, "-m", "documents.thumbnails_worker")


def thumbnails_make(file: BinaryIO) -> dict[int, bytes] | None:
    """The pictures of an image file by their side; None where they can't be made or take too much.

    `file` has a descriptor and is read from its beginning.
    """
    # The descriptor itself: the child knows nothing of what is buffered here.
    os.lseek(file.fileno(), 0, os.SEEK_SET)
    try:
        done = subprocess.run(
            _COMMAND,
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=True,
        )
    except (subprocess.SubprocessError, OSError):
        return None
    made, rest = {}, done.stdout
    for side in SIDES:
        (length,) = struct.unpack_from(">I", rest)
        made[side], rest = rest[4 : 4 + length], rest[4 + length :]
    return made
