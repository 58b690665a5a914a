"""Rendering that always ends: in processes that can be killed, with the plain text to fall back on."""

from __future__ import annotations

import contextlib
import hashlib
import html
import os
import threading
from collections.abc import Iterator

import orjson
from cachetools import LRUCache

from cloudscribe.lib.errors import ServiceUnavailable
from documents.rendering.child import LOADING, Child, Ended, TookTooLong, clock_limit
from documents.rendering.html import Rendered

LONGEST_TEXT = 500_000
# What is longer may take long, too.
LONG_TEXT = 50_000
# One text that takes all its time leaves the other renderer to everybody else.
CHILDREN = 2
# CPU time: so much for any text and so much more for each of its characters. What people write takes half of
# it or less; a short text that is made to be slow can't hold a process for long.
_CPU_SECONDS, _PER_CHARACTER = 0.5, 10e-6
# A text that had so much of its CPU time when the clock ran out is too much, however busy the machine is.
_MOST_OF_IT = 0.75
# Longest waits for a process; whoever waits is one of a web server's few threads.
_WAIT, _WAIT_ASIDE = 3.0, 1.0
_REMEMBERED = 1_000


class TooBusyToRender(ServiceUnavailable):
    """A text was given so little CPU that nothing is known of it; not to be tried by each of its readers."""

    def __init__(self) -> None:
        super().__init__("The machine is too busy to make HTML of this text.", retry_after=10)


def longest_wait(text: str) -> float:
    """After so many seconds whoever renders a text has either done so or given up, unless it was killed."""
    return _WAIT_ASIDE + _WAIT + LOADING + clock_limit(_allowed(text))


def render_bounded(text: str, seconds: float | None = None, *, preview: bool = False) -> Rendered:
    """The text as HTML; preformatted plain text where it is too long or needs more CPU than `seconds`.

    Previews and long texts leave one process to the others, and a `preview` neither learns nor tells what was
    too much before. Raises ServiceUnavailable where no process is free, TooBusyToRender where the machine has
    no time for one: of the text that says nothing, so it is no answer to be kept.
    """
    if len(text) > LONGEST_TEXT:
        return _plain(text)
    allowed = seconds or _allowed(text)
    with _pool.aside() if preview or len(text) > LONG_TEXT else contextlib.nullcontext():
        answer = _pool.ask(text.encode(), allowed, remember=not preview and seconds is None)
    return Rendered(**orjson.loads(answer)) if answer else _plain(text)


def _allowed(text: str) -> float:
    return _CPU_SECONDS + _PER_CHARACTER * len(text)


def _plain(text: str) -> Rendered:
    return Rendered(f'<pre tabindex="0">{html.escape(text)}</pre>', [], plain=True)


class _Pool:
    """The renderers of this process: started when first needed, and again after one that had to be killed."""

    def __init__(self) -> None:
        self._children: set[Child] = set()
        self._begin()
        os.register_at_fork(after_in_child=self._forget)

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._places = threading.BoundedSemaphore(CHILDREN)
        self._aside = threading.BoundedSemaphore(CHILDREN - 1)
        # The one that rendered last is asked first: a second one starts only for two at once.
        self._idle: list[Child] = []
        # What was too much once is so for all who wait to ask the same.
        self._too_much: LRUCache[bytes, bool] = LRUCache(maxsize=_REMEMBERED)

    def _forget(self) -> None:
        """After a fork: those processes answer the parent, and its locks may be held by threads of it."""
        for child in self._children:
            child.forget()
        self._children.clear()
        self._begin()

    @contextlib.contextmanager
    def aside(self) -> Iterator[None]:
        """One of the places that previews and long texts may have; raises ServiceUnavailable."""
        with _place(self._aside, _WAIT_ASIDE):
            yield

    def ask(self, text: bytes, seconds: float, *, remember: bool) -> bytes:
        """The answer's JSON; nothing where the text is too much. Raises as `render_bounded` does."""
        digest = hashlib.sha256(text).digest()
        with _place(self._places, _WAIT):
            if remember and self._is_too_much(digest):
                return b""
            try:
                return self._answer(text, seconds)
            except Ended as ended:
                if ended.from_outside:
                    raise _busy() from ended
            except TookTooLong as late:
                if late.used < seconds * _MOST_OF_IT:
                    raise TooBusyToRender from late
            except OSError as error:
                raise _busy() from error
            if remember:
                with self._lock:
                    self._too_much[digest] = True
            return b""

    def _is_too_much(self, digest: bytes) -> bool:
        with self._lock:
            return digest in self._too_much

    def _answer(self, text: bytes, seconds: float) -> bytes:
        try:
            with self._lent() as child:
                return child.ask(text, seconds)
        except Ended as ended:
            if ended.by_limit:
                raise
        # Perhaps other texts had worn it out, or it had ended while nobody asked it.
        with self._lent() as child:
            return child.ask(text, seconds)

    @contextlib.contextmanager
    def _lent(self) -> Iterator[Child]:
        with self._lock:
            child = self._idle.pop() if self._idle else None
        child = child or self._start()
        try:
            yield child
        finally:
            if child.broken:
                self._replace(child)
            else:
                with self._lock:
                    self._idle.append(child)

    def _start(self) -> Child:
        child = Child()
        with self._lock:
            self._children.add(child)
        return child

    def _replace(self, child: Child) -> None:
        """End it, and have the next one load its libraries before anybody waits for it."""
        child.end()
        with self._lock:
            self._children.discard(child)
        with contextlib.suppress(OSError):
            fresh = self._start()
            with self._lock:
                self._idle.append(fresh)


@contextlib.contextmanager
def _place(places: threading.BoundedSemaphore, patience: float) -> Iterator[None]:
    if not places.acquire(timeout=patience):
        raise _busy()
    try:
        yield
    finally:
        places.release()


def _busy() -> ServiceUnavailable:
    return ServiceUnavailable("Too much is being rendered at this moment.")


_pool = _Pool()
