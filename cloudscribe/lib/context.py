"""What surrounds a piece of work: the request id and the client's address, for logs and the audit trail."""

from __future__ import annotations

import dataclasses
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_REQUEST_ID = re.compile(r"[A-Za-z0-9_-]{8,80}")


@dataclasses.dataclass(slots=True)
class RequestContext:
    """One request, job or command as seen by logs and events.

    `address` is the client's vetted address, empty outside HTTP; `route` is the URL pattern, never the path,
    since paths can hold secrets. The numbers are what the work has cost so far; `statements` counts each text
    that was sent, where somebody wants to know. `writing_check`, where there is one, is asked before each
    transaction of a service and raises where it may not begin.
    """

    request_id: str
    address: str = ""
    route: str = ""
    queries: int = 0
    query_seconds: float = 0.0
    redis_calls: int = 0
    cache_hits: int = 0
    statements: Counter[str] | None = None
    writing_check: Callable[[], None] | None = None


_context: ContextVar[RequestContext | None] = ContextVar("cloudscribe_context", default=None)


def new_request_id(wanted: str | None = None) -> str:
    """The client's own request id where it has the allowed form, else a new random one.

    It opens nothing, so it comes from the process and not from the system; each forked child has its own row.
    """
    if wanted and _REQUEST_ID.fullmatch(wanted):
        return wanted
    return f"{random.getrandbits(128):032x}"


def current_context() -> RequestContext:
    """The context of this thread of execution; a fresh one outside of any."""
    context = _context.get()
    if context is None:
        context = RequestContext(new_request_id())
        _context.set(context)
    return context


@contextmanager
def request_context(context: RequestContext) -> Iterator[RequestContext]:
    """Run a block within `context`."""
    token = _context.set(context)
    try:
        yield context
    finally:
        _context.reset(token)
