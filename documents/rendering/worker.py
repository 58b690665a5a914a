"""`python -m documents.rendering.worker`: renders what comes on its standard input until that ends.

A frame is four bytes of length (big-endian) and so many bytes: UTF-8 text in, JSON of the rendering out. It
is a process so that one that meets a hostile text can be killed.
"""

from __future__ import annotations

import dataclasses
import resource
import struct
import sys

import orjson

from documents.rendering.html import render

_MEMORY_BYTES = 512 * 1024 * 1024


def main() -> None:
    """Render frame by frame; the end of the input is the end."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while head := source.read(4):
        text = source.read(struct.unpack(">I", head)[0]).decode()
        answer = orjson.dumps(dataclasses.asdict(render(text)))
        sink.write(struct.pack(">I", len(answer)) + answer)
        sink.flush()


if __name__ == "__main__":
    main()
