"""The one job that all sides do, and the ear that hears when each begins.

It tells the system's monotonic clock, which is the same in all processes of a machine.
"""

from __future__ import annotations

import contextlib
import pathlib
import socket
import struct
import time
from collections.abc import Iterator

_TIME = struct.Struct("d")


class Unheard(RuntimeError):
    """A job did not begin in time."""


def work(path: str) -> None:
    """Tell the ear at `path` that the job has begun."""
    began = _TIME.pack(time.monotonic())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as mouth:
        mouth.sendto(began, path)


class Ear:
    """Hears jobs begin; whoever tells waits while eleven others are unheard, so listen at once."""

    def __init__(self, listener: socket.socket, path: pathlib.Path) -> None:
        """`path` is what jobs are given."""
        self._listener = listener
        self.path = str(path)

    def hear(self, count: int, seconds: float) -> list[float]:
        """When the next `count` jobs began; raises Unheard where one takes longer than `seconds`."""
        self._listener.settimeout(seconds)
        try:
            return [_TIME.unpack(self._listener.recv(_TIME.size))[0] for _ in range(count)]
        except TimeoutError:
            raise Unheard(f"no job began for {seconds:.0f} s") from None


@contextlib.contextmanager
def listening(folder: pathlib.Path) -> Iterator[Ear]:
    """An ear in `folder`."""
    path = folder / "ear"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(path))
        yield Ear(listener, path)
