"""What leaves for an error tracker or a collector of traces: enough to find a fault, nothing of anybody's."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

import pytest
from django.conf import settings
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from tests.lib.failing import SECRETS
from tests.lib.receiver import receiving

ROOT = pathlib.Path(settings.BASE_DIR)

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def requested(kind: str, **environment: str) -> tuple[int, str]:
    """Status and id of a request to an application that was started with this environment."""
    known = {**os.environ, "DJANGO_SETTINGS_MODULE": "cloudscribe.settings", "CLOUDSCRIBE_PROCESS": "web"}
    done = subprocess.run(
        [sys.executable, "-m", "tests.lib.failing", kind, "--password", "in-the-header"],
        env={**known, **environment},
        cwd=ROOT,
        capture_output=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    status, request_id = done.stderr.decode().splitlines()[-1].split()
    return int(status), request_id


def events(received: list[tuple[str, bytes]]) -> list[dict[str, Any]]:
    """The events in envelopes: lines of JSON, each item after a line that tells its type."""
    found = []
    for _, body in received:
        lines = body.splitlines()
        for head, item in zip(lines[1::2], lines[2::2], strict=False):
            if json.loads(head).get("type") == "event":
                found.append(json.loads(item))
    return found


@pytest.fixture(scope="module")
def tracked(django_db_setup: None) -> tuple[int, str, list[tuple[str, bytes]]]:
    """Status and id of a request that fails, and what arrived at the tracker."""
    with receiving() as tracker:
        status, request_id = requested("fail", SENTRY_DSN=f"http://key@{tracker.address}/1")
    return status, request_id, tracker.received


def test_error_arrives_at_the_tracker(tracked: tuple[int, str, list[tuple[str, bytes]]]) -> None:
    """With the request's id, its route and the place in the code."""
    status, request_id, received = tracked
    assert status == 500
    (event,) = events(received)
    assert event["tags"] == {"request_id": request_id, "route": "/fail/{secret}/"}
    assert event["request"] == {"method": "POST", "url": "/fail/{secret}/"}
    assert event["exception"]["values"][-1]["type"] == "IntegrityError"
    frames = event["exception"]["values"][-1]["stacktrace"]["frames"]
    assert any(frame["function"] == "fail" for frame in frames)
    assert event["release"]


def test_nothing_of_anybody_arrives_at_the_tracker(tracked: tuple[int, str, list[tuple[str, bytes]]]) -> None:
    """No body, path, query, header, local or argument; and of statements and their errors no value."""
    _, _, received = tracked
    assert received
    sent = b"".join(body for _, body in received).decode()
    lines = [line for line in sent.splitlines() if '"type":"event"' not in line]
    # The source of the test's own view stands among the lines around a frame.
    texts = [_without_source(json.loads(line)) for line in lines]
    assert [secret for secret in SECRETS for text in texts if secret in json.dumps(text)] == []


def _without_source(value: Any) -> Any:
    if isinstance(value, dict):
        context = {"pre_context", "context_line", "post_context"}
        return {key: _without_source(part) for key, part in value.items() if key not in context}
    return [_without_source(part) for part in value] if isinstance(value, list) else value


def spans(received: list[tuple[str, bytes]]) -> dict[str, Any]:
    """The spans that arrived, by name."""
    found = {}
    for path, body in received:
        assert path == "/v1/traces"
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            found.update({span.name: span for scope in resource.scope_spans for span in scope.spans})
    return found


def attributes(span: Any) -> dict[str, Any]:
    """What a span tells of itself."""
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def test_spans_arrive_at_the_collector() -> None:
    """One for the request, by its route and id, and below it one for the statement, by its shape."""
    with receiving() as collector:
        status, request_id = requested("answer", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{collector.address}")
    assert status == 200
    found = spans(collector.received)
    request, statement = found["POST /answer/{secret}/"], found["SELECT"]
    assert attributes(request) == {
        "http.request.method": "POST",
        "http.route": "/answer/{secret}/",
        "http.response.status_code": 200,
        "cloudscribe.request_id": request_id,
    }
    assert attributes(statement) == {"db.system.name": "postgresql", "db.query.text": "SELECT ?, %s"}
    assert statement.parent_span_id == request.span_id
    # That of the client's own span, which it named in the header.
    assert request.trace_id.hex() == "0af7651916cd43dd8448eb211c80319c"
    assert request.parent_span_id.hex() == "b7ad6b7169203331"


def test_nothing_of_anybody_arrives_at_the_collector() -> None:
    """Neither where all goes well nor with an error, whose message tells values."""
    with receiving() as collector:
        status, _ = requested("fail", OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{collector.address}")
    assert status == 500
    assert "POST /fail/{secret}/" in spans(collector.received)
    sent = b"".join(body for _, body in collector.received)
    assert [secret for secret in SECRETS if secret.encode() in sent] == []


def test_what_is_off_loads_nothing() -> None:
    """The libraries of traces are an extra, of which redis-py takes a part by itself where it is there."""
    program = (
        "import django, sys; django.setup(); import cloudscribe.jobs.runner; "
        "sys.exit(any(name.startswith(('opentelemetry.exporter', 'sentry_sdk')) for name in sys.modules))"
    )
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "cloudscribe.settings"}
    done = subprocess.run([sys.executable, "-c", program], env=environment, cwd=ROOT, check=False)
    assert done.returncode == 0


def test_traces_without_their_libraries_say_what_to_install() -> None:
    """At the start, not with the first request."""
    program = "import django, sys; sys.modules['opentelemetry.sdk.trace'] = None; django.setup()"
    environment = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "cloudscribe.settings",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
    }
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, cwd=ROOT, capture_output=True, check=False
    )
    assert done.returncode != 0
    assert b"install requirements/otel.txt" in done.stderr
