"""Where spans begin; nothing but an empty context while traces are off."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager

Begin = Callable[[str, str], AbstractContextManager[object]]


class _Spans:
    """Holds what makes spans; `cloudscribe.lib.observability.tracing` fills it where it is asked for."""

    def __init__(self) -> None:
        self._begin: Begin | None = None
        self._flush: Callable[[], object] | None = None

    def provide(self, begin: Begin, flush: Callable[[], object]) -> None:
        """Make spans by `begin(name, request_id)` from now on; `flush` sends what is held back."""
        self._begin, self._flush = begin, flush

    def of(self, name: str, request_id: str) -> AbstractContextManager[object]:
        """A span around a block."""
        return contextlib.nullcontext() if self._begin is None else self._begin(name, request_id)

    def flush(self) -> None:
        """Send now what is held back: for a process that is about to end without a word."""
        if self._flush is not None:
            self._flush()


spans = _Spans()
