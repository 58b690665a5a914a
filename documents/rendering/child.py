"""A process that renders, as its parent holds it: asked by pipes, killed where it takes too long."""

from __future__ import annotations

import os
import select
import signal
import struct
import subprocess
import sys
import time

from documents.rendering.syntax import SYNTAX_SECONDS

_COMMAND = (sys.executable, "-m", "documents.rendering.worker")
# It reads hostile text and needs none of the keys that stand in the environment of a web process.
_ENVIRONMENT = ("HOME", "LANG", "LC_ALL", "PATH", "PYTHONDONTWRITEBYTECODE", "PYTHONPATH", "VIRTUAL_ENV")
# By the clock a text may take so many times its CPU time, and so many seconds more, on a busy machine; the
# first text of a process may take longer, as that loads its libraries.
_PATIENCE, _GRACE, LOADING = 4.0, 3.0, 5.0


class TookTooLong(Exception):
    """The clock ran out before the CPU time, as the machine is busy; `used` is what the text had of that."""

    used = 0.0


class Ended(Exception):
    """The process ended: over the text, or for a reason of its own."""

    status: int | None = None

    @property
    def by_limit(self) -> bool:
        """Whether the text had used up its CPU time."""
        return self.status == -signal.SIGPROF

    @property
    def from_outside(self) -> bool:
        """Whether somebody killed it, such as a system that ran out of memory."""
        return self.status == -signal.SIGKILL


class Child:
    """One renderer. After TookTooLong or Ended it is only good to be ended, and `broken` afterwards."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            _COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            env={name: os.environ[name] for name in _ENVIRONMENT if name in os.environ},
        )
        if self._process.stdin is None or self._process.stdout is None:
            raise OSError("the renderer has no pipes")
        self._pipes = (self._process.stdin, self._process.stdout)
        self._sink, self._source = (pipe.fileno() for pipe in self._pipes)
        os.set_blocking(self._sink, False)
        os.set_blocking(self._source, False)
        self.broken = False
        self._loaded = False
        # The CPU nanoseconds that it had used when it began with the text that it was asked for last.
        self._begun: int | None = None

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def ask(self, text: bytes, seconds: float) -> bytes:
        """The answer for a text that may take `seconds` of CPU; raises TookTooLong, Ended."""
        deadline = clock_limit(seconds) + time.monotonic() + (0.0 if self._loaded else LOADING)
        self._begun = None
        try:
            self._write(struct.pack(">II", len(text), int(seconds * 1000)) + text, deadline)
            (self._begun,) = struct.unpack(">Q", self._read(8, deadline))
            self._loaded = True
            follows, answer = self._read_answer(deadline)
        except TookTooLong as late:
            self.broken = True
            late.used = self._used()
            raise
        except Ended as ended:
            self.broken = True
            ended.status = self._status()
            raise
        if follows:
            answer = self._better(answer)
        return answer

    def _better(self, answer: bytes) -> bytes:
        """The same with classes in its code; as it is where they take too long."""
        try:
            return self._read_answer(clock_limit(SYNTAX_SECONDS) + time.monotonic())[1]
        except (TookTooLong, Ended):
            self.broken = True
            return answer

    def _used(self) -> float:
        """The CPU seconds that its text has had so far."""
        if self._begun is None:
            return 0.0
        # Linux's name for the CPU clock of another process (clock_getcpuclockid in C).
        clock = (~self.pid << 3) | 2
        try:
            return (time.clock_gettime_ns(clock) - self._begun) / 1e9
        except OSError:
            return 0.0

    def _status(self) -> int | None:
        try:
            return self._process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            return None

    def end(self) -> None:
        """End it and leave nothing behind, neither a process nor a pipe."""
        self._process.kill()
        self._process.wait()
        self.forget()

    def forget(self) -> None:
        """Close the pipes, which is all that is to be done in a process that a fork has given a copy."""
        for pipe in self._pipes:
            pipe.close()
        self.broken = True

    def _write(self, frame: bytes, deadline: float) -> None:
        left = memoryview(frame)
        while left:
            _wait(self._sink, select.POLLOUT, deadline)
            try:
                left = left[os.write(self._sink, left) :]
            except BlockingIOError:
                continue
            except OSError as error:
                raise Ended from error

    def _read_answer(self, deadline: float) -> tuple[bool, bytes]:
        follows, length = struct.unpack(">?I", self._read(5, deadline))
        return follows, self._read(length, deadline)

    def _read(self, length: int, deadline: float) -> bytes:
        found = bytearray()
        while len(found) < length:
            _wait(self._source, select.POLLIN, deadline)
            piece = os.read(self._source, length - len(found))
            if not piece:
                raise Ended
            found += piece
        return bytes(found)


def clock_limit(seconds: float) -> float:
    """How long by the clock a text is waited for that may take so many seconds of CPU."""
    return _PATIENCE * seconds + _GRACE


def _wait(pipe: int, event: int, deadline: float) -> None:
    # Not `select`, which knows no descriptor above 1,023.
    poll = select.poll()
    poll.register(pipe, event)
    if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
        raise TookTooLong
