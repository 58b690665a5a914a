"""`python -m documents.rendering.worker`: renders what comes on its standard input until that ends.

In: length and allowed CPU milliseconds, four bytes each (big-endian), and so many bytes of UTF-8. Out: a
length and so many bytes of JSON. A text that needs more CPU ends the process, which is why it is one.
"""

from __future__ import annotations

import dataclasses
import resource
import signal
import struct
import sys

import orjson

from documents.rendering.html import render

_MEMORY_BYTES = 512 * 1024 * 1024


def main() -> None:
    """Render frame by frame; the end of the input is the end."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while head := source.read(8):
        length, allowed = struct.unpack(">II", head)
        text = source.read(length).decode()
        # CPU and not the clock: whether a text is too much must not depend on how busy the machine is.
        signal.setitimer(signal.ITIMER_PROF, allowed / 1000)
        answer = orjson.dumps(dataclasses.asdict(render(text)))
        signal.setitimer(signal.ITIMER_PROF, 0)
        sink.write(struct.pack(">I", len(answer)) + answer)
        sink.flush()


if __name__ == "__main__":
    main()
