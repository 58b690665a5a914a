"""`python -m documents.rendering.worker`: renders what comes on its standard input until that ends.

In: length and allowed CPU milliseconds, four bytes each (big-endian), and so many bytes of UTF-8. Out: the
CPU nanoseconds of this process as it begins with the text, eight bytes; then, once or twice, whether a better
answer follows, one byte, a length, four, and so many bytes of JSON, none of them for a text that is too much.
A text that needs more CPU ends the process, which is why it is one.
"""

from __future__ import annotations

import dataclasses
import resource
import signal
import struct
import sys
import time
from typing import BinaryIO

import orjson

from documents.rendering.html import Rendered, TooMuch, render_markdown, render_syntax
from documents.rendering.syntax import SYNTAX_SECONDS, has_code

_MEMORY_BYTES = 512 * 1024 * 1024


def main() -> None:
    """Render frame by frame; the end of the input is the end."""
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    source, sink = sys.stdin.buffer, sys.stdout.buffer
    while head := source.read(8):
        length, allowed = struct.unpack(">II", head)
        text = source.read(length).decode()
        sink.write(struct.pack(">Q", time.process_time_ns()))
        sink.flush()
        # CPU and not the clock: whether a text is too much must not depend on how busy the machine is.
        signal.setitimer(signal.ITIMER_PROF, allowed / 1000)
        try:
            rendered = render_markdown(text)
        except TooMuch:
            _answer(sink, None, follows=False)
            continue
        follows = has_code(rendered.html)
        _answer(sink, rendered, follows=follows)
        if follows:
            # Code that is too much for its lexer costs the text its colours and nothing else.
            signal.setitimer(signal.ITIMER_PROF, SYNTAX_SECONDS)
            _answer(sink, render_syntax(rendered), follows=False)
        signal.setitimer(signal.ITIMER_PROF, 0)


def _answer(sink: BinaryIO, rendered: Rendered | None, *, follows: bool) -> None:
    answer = orjson.dumps(dataclasses.asdict(rendered)) if rendered else b""
    sink.write(struct.pack(">?I", follows, len(answer)) + answer)
    sink.flush()


if __name__ == "__main__":
    main()
