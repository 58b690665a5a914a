"""Signals as something to wait for, so that no code runs inside a handler."""

from __future__ import annotations

import select
import signal
import socket
from types import FrameType


def _noted(number: int, frame: FrameType | None) -> None:
    """The wake-up descriptor has taken the number already."""


class Signals:
    """The signals that end the supervisor, and news of children."""

    ENDING = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})

    def __init__(self) -> None:
        """Take the signals over; SIGHUP only where `nohup` has not switched it off."""
        self._reader, self._writer = socket.socketpair()
        for end in (self._reader, self._writer):
            end.settimeout(0)
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in (*self.ENDING, signal.SIGCHLD):
            if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, _noted)
        self.ending = False

    def wait(self, seconds: float) -> None:
        """Return at the first signal or after `seconds`; `ending` tells whether one of them asks to end."""
        ready, _, _ = select.select([self._reader], [], [], seconds)
        if ready:
            numbers = self._reader.recv(4096)
            self.ending = self.ending or any(number in self.ENDING for number in numbers)
