"""Log lines: JSON, with the request and the actor, without paths and secrets."""

from __future__ import annotations

import json
import logging
import os
import pathlib
import types

import pytest
import structlog
from django.test import RequestFactory

from cloudscribe.lib.context import RequestContext, request_context
from cloudscribe.lib.observability import logs
from cloudscribe.lib.observability.routes import pattern


@pytest.fixture
def lines(tmp_path: pathlib.Path):  # type: ignore[no-untyped-def]
    """Log into a file and read it; put the process's own logging back afterwards."""
    before, handlers, level = structlog.get_config(), logging.root.handlers[:], logging.root.level
    file = tmp_path / "web.log"
    logs.configure({"file": str(file), "level": "INFO", "stream": "stderr"})
    yield lambda: [json.loads(line) for line in file.read_text().splitlines()]
    structlog.configure(**before)
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def test_native_event_names_its_request(lines) -> None:  # type: ignore[no-untyped-def]
    """One JSON object a line, with time, level, request id and actor."""
    with request_context(RequestContext("abcdefgh12345678")):
        structlog.get_logger("own").warning("thing_failed", number=5, token="csp_x", new_password="y")
    (line,) = lines()
    assert line.pop("at").endswith("Z")
    assert line == {
        "event": "thing_failed",
        "level": "warning",
        "number": 5,
        "request_id": "abcdefgh12345678",
        "actor": None,
        "token": "[redacted]",
        "new_password": "[redacted]",
    }


def test_record_of_a_library_becomes_the_same_kind_of_line(lines) -> None:  # type: ignore[no-untyped-def]
    """The standard library's logging leaves by the same door, traces included."""
    try:
        int("why")
    except ValueError:
        logging.getLogger("somebody.else").exception("It said %s", "no")
    (line,) = lines()
    assert (line["event"], line["logger"], line["level"]) == ("It said no", "somebody.else", "error")
    assert "ValueError: invalid literal" in line["exception"]


def test_django_record_tells_the_route_instead_of_the_path(lines) -> None:  # type: ignore[no-untyped-def]
    """Paths can hold secrets; refusals have their own line already."""
    request = RequestFactory().get("/s/very-secret/")
    request.resolver_match = types.SimpleNamespace(route="s/<secret>/")  # type: ignore[assignment]
    log = logging.getLogger("django.request")
    log.error("%s: %s", "Internal Server Error", request.path, extra={"request": request})
    log.warning("%s: %s", "Not Found", request.path, extra={"request": request})
    (line,) = lines()
    assert line["event"] == "Internal Server Error: /s/{secret}/"
    assert "very-secret" not in json.dumps(line)


def test_sink_survives_a_closed_descriptor() -> None:
    """A full disk or a closed pipe must not fail the work that is logged."""
    sink = logs.LineSink("stderr", "")
    reader, writer = os.pipe()
    os.close(reader)
    os.close(writer)
    sink._descriptors = [writer]
    sink.write(b"lost\n")


@pytest.mark.parametrize(
    ("route", "shown"),
    [
        ("api/v1/documents/<uuid:id>/", "/api/v1/documents/{id}/"),
        (
            r"api/v1/documents/(?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/move/$",
            "/api/v1/documents/{id}/move/",
        ),
        (r"^admin/(?P<url>.*)\Z", "/admin/{url}"),
        ("", "/"),
    ],
)
def test_pattern_shows_routes_as_the_schema_does(route: str, shown: str) -> None:
    """One spelling of routes in logs, metrics and the schema."""
    assert pattern(route) == shown
