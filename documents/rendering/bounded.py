"""Rendering that always ends: in a process that can be killed, with the plain text to fall back on."""

from __future__ import annotations

import html
import os
import select
import struct
import subprocess
import sys
import threading
import time

import orjson

from documents.rendering.html import Rendered

LONGEST_TEXT = 500_000
_CPU_SECONDS = 2.0
# How much longer than its CPU time a text may take on a busy machine.
_PATIENCE = 4.0
_COMMAND = (sys.executable, "-m", "documents.rendering.worker")


def render_bounded(text: str, seconds: float = _CPU_SECONDS) -> Rendered:
    """The text as HTML; preformatted plain text where it is too long or needs more than `seconds` of CPU."""
    if len(text) > LONGEST_TEXT:
        return _plain(text)
    answer = _renderer.ask(text.encode(), seconds)
    return _plain(text) if answer is None else Rendered(**orjson.loads(answer))


def _plain(text: str) -> Rendered:
    return Rendered(f"<pre>{html.escape(text)}</pre>", [], plain=True)


class _Renderer:
    """The renderer of this process: started by the first text, and again after one that had to be killed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def ask(self, text: bytes, seconds: float) -> bytes | None:
        """The answer's frame; None where it took too much or broke."""
        deadline = time.monotonic() + seconds * _PATIENCE
        if not self._lock.acquire(timeout=seconds * _PATIENCE):
            return None
        try:
            head = struct.pack(">II", len(text), int(seconds * 1000))
            return self._exchange(self._running(), head + text, deadline)
        except (OSError, ValueError, TimeoutError):
            self._end()
            return None
        finally:
            self._lock.release()

    def _running(self) -> subprocess.Popen[bytes]:
        # A child that a fork inherited answers its parent, not us.
        if self._child is None or self._owner != os.getpid() or self._child.poll() is not None:
            self._child = subprocess.Popen(_COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
            self._owner = os.getpid()
            os.set_blocking(self._pipes(self._child)[0], False)
        return self._child

    @staticmethod
    def _pipes(child: subprocess.Popen[bytes]) -> tuple[int, int]:
        if child.stdin is None or child.stdout is None:
            raise ValueError("the renderer has no pipes")
        return child.stdin.fileno(), child.stdout.fileno()

    def _exchange(self, child: subprocess.Popen[bytes], frame: bytes, deadline: float) -> bytes:
        sink, source = self._pipes(child)
        left = memoryview(frame)
        while left:
            self._wait([], [sink], deadline)
            left = left[os.write(sink, left[: select.PIPE_BUF]) :]
        (length,) = struct.unpack(">I", self._read(source, 4, deadline))
        return self._read(source, length, deadline)

    def _read(self, source: int, length: int, deadline: float) -> bytes:
        found = bytearray()
        while len(found) < length:
            self._wait([source], [], deadline)
            piece = os.read(source, length - len(found))
            if not piece:
                raise ValueError("the renderer ended")
            found += piece
        return bytes(found)

    @staticmethod
    def _wait(sources: list[int], sinks: list[int], deadline: float) -> None:
        ready = select.select(sources, sinks, [], max(0.0, deadline - time.monotonic()))
        if not any(ready):
            raise TimeoutError

    def _end(self) -> None:
        if self._child is not None and self._owner == os.getpid():
            self._child.kill()
            self._child.wait()
            for pipe in (self._child.stdin, self._child.stdout):
                if pipe is not None:
                    pipe.close()
        self._child = None


_renderer = _Renderer()
