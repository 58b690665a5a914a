"""Logs: one JSON line an event on the standard output and, where wanted, in a file.

Native events (structlog) and those of libraries (the standard library's logging) leave by the same door.
Never in a line: paths, which can hold secrets, and values whose names speak of secrets.
"""

from __future__ import annotations

import contextlib
import functools
import logging
import logging.config
import os
import pathlib
from collections.abc import Mapping, MutableMapping
from typing import Any, BinaryIO, cast

import orjson
import structlog

from cloudscribe.lib.actor import current_actor
from cloudscribe.lib.context import current_context
from cloudscribe.lib.observability.routes import route_of

_SECRET_WORDS = ("authorization", "cookie", "password", "secret", "token")
_DESCRIPTORS = {"stdout": 1, "stderr": 2}

Event = MutableMapping[str, Any]


class LineSink:
    """Where lines go: a standard stream, and a file that is appended to.

    Written by the descriptor, each line in one call: no buffer is lost with a killed process and no lock
    is held over a fork. A full disk or a closed pipe must not fail the work that is being logged.
    """

    def __init__(self, stream: str, file: str) -> None:
        self._descriptors = [_DESCRIPTORS[stream]]
        if file:
            path = pathlib.Path(file)
            path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptors.append(os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640))

    def write(self, line: bytes | str) -> None:
        """Append one line or a piece of it."""
        data = line.encode("utf-8", "backslashreplace") if isinstance(line, str) else line
        for descriptor in self._descriptors:
            with contextlib.suppress(OSError):
                os.write(descriptor, data)

    def flush(self) -> None:
        """Nothing is held back."""


class PathlessFilter(logging.Filter):
    """Put the route in the path's place in Django's own records; drop those that the request line covers."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record is worth a line."""
        request = getattr(record, "request", None)
        if request is None or not hasattr(request, "path"):
            return True
        if record.name == "django.request" and record.levelno < logging.ERROR:
            return False
        if isinstance(record.args, tuple):
            record.args = tuple(route_of(request) if part == request.path else part for part in record.args)
        return True


def configure(options: Mapping[str, Any]) -> None:
    """Django's LOGGING_CONFIG: `level`, `file` (empty for none) and `stream` (`stdout` or `stderr`)."""
    sink = LineSink(options.get("stream", "stdout"), options.get("file", ""))
    level = logging.getLevelNamesMapping()[options.get("level", "INFO").upper()]
    structlog.configure(
        processors=[*_shared(), _render],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.BytesLoggerFactory(cast("BinaryIO", sink)),
        cache_logger_on_first_use=True,
    )
    logging.config.dictConfig(_foreign(sink, level))


def _shared() -> list[Any]:
    return [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        _surroundings,
        structlog.processors.format_exc_info,
        _redact,
    ]


def _foreign(sink: LineSink, level: int) -> dict[str, Any]:
    render = [structlog.stdlib.ProcessorFormatter.remove_processors_meta, _render_text]
    formatter = {
        "()": structlog.stdlib.ProcessorFormatter,
        "processors": render,
        "foreign_pre_chain": [structlog.stdlib.add_logger_name, *_shared()],
    }
    handler = {
        "class": "logging.StreamHandler",
        "stream": sink,
        "formatter": "json",
        "filters": ["pathless"],
    }
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {"pathless": {"()": PathlessFilter}},
        "formatters": {"json": formatter},
        "handlers": {"lines": handler},
        "root": {"handlers": ["lines"], "level": level},
    }


def _surroundings(_: Any, __: str, event: Event) -> Event:
    """Name the request and the actor that the line belongs to."""
    if "request_id" not in event:
        event["request_id"] = current_context().request_id
    if "actor" not in event:
        event["actor"] = actor_label()
    return event


def actor_label() -> str | None:
    """The actor of this thread as logs name it: kind and id, never a name."""
    actor = current_actor()
    return None if actor is None else f"{actor.kind}:{actor.uid or actor.credential_uid or actor.name}"


def _redact(_: Any, __: str, event: Event) -> Event:
    for name in event:
        if _speaks_of_a_secret(name):
            event[name] = "[redacted]"
    return event


@functools.lru_cache(maxsize=1_000)
def _speaks_of_a_secret(name: str) -> bool:
    return any(word in name.lower() for word in _SECRET_WORDS)


def _render(_: Any, __: str, event: Event) -> bytes:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS)


def _render_text(logger: Any, name: str, event: Event) -> str:
    return _render(logger, name, event).decode()
