"""Traces by OpenTelemetry: a span for each request, each try of a job, and each statement within them.

Imported only where a collector is set, whose libraries are an extra. No span holds a path or a value.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, Status, StatusCode

from cloudscribe.lib.context import current_context
from cloudscribe.lib.observability.queries import shape_of
from cloudscribe.lib.observability.routes import route_of
from cloudscribe.lib.observability.spans import spans

_FIRST_OF_OUR_FAULTS = 500
_FLUSH_MILLISECONDS = 2000
_REQUEST_ID = "cloudscribe.request_id"

tracer = trace.get_tracer("cloudscribe")


def start(release: str, process_kind: str) -> None:
    """Send spans from now on, to where the standard's variables say. Forked children go on by themselves."""
    about = {
        "service.name": "cloudscribe",
        "service.version": release,
        "cloudscribe.process": process_kind,
    }
    provider = TracerProvider(resource=Resource.create(about))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    spans.provide(_begin, lambda: provider.force_flush(_FLUSH_MILLISECONDS))
    connection_created.connect(_watch, dispatch_uid="cloudscribe.trace_queries")


class TraceMiddleware:
    """A span for each request, below the client's own where it names one; inside of RequestMiddleware."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, unchanged."""
        sent = {"traceparent": request.META.get("HTTP_TRACEPARENT", "")}
        method = str(request.method)
        with tracer.start_as_current_span(
            method, context=propagate.extract(sent), kind=SpanKind.SERVER, record_exception=False
        ) as span:
            response = self.get_response(request)
            route = route_of(request)
            span.update_name(f"{method} {route}")
            span.set_attribute("http.request.method", method)
            span.set_attribute("http.route", route)
            span.set_attribute("http.response.status_code", response.status_code)
            span.set_attribute(_REQUEST_ID, current_context().request_id)
            if response.status_code >= _FIRST_OF_OUR_FAULTS:
                span.set_status(Status(StatusCode.ERROR))
        return response


@contextlib.contextmanager
def _begin(name: str, request_id: str) -> Iterator[None]:
    with tracer.start_as_current_span(
        name, kind=SpanKind.CONSUMER, attributes={_REQUEST_ID: request_id}, record_exception=False
    ):
        yield


def _trace_query(
    execute: Callable[..., Any],
    sql: Any,
    params: Any,
    many: bool,  # noqa: FBT001 (Django's signature)
    context: dict[str, Any],
) -> Any:
    """An execute wrapper: a span for a statement within a piece of work; those of timers are left out."""
    if not trace.get_current_span().is_recording():
        return execute(sql, params, many, context)
    shape = shape_of(str(sql))
    attributes = {"db.system.name": "postgresql", "db.query.text": shape}
    name = shape.partition(" ")[0].upper()
    with tracer.start_as_current_span(
        name,
        kind=SpanKind.CLIENT,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        try:
            return execute(sql, params, many, context)
        except Exception:
            # Without the message, which tells values.
            span.set_status(Status(StatusCode.ERROR))
            raise


def _watch(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if _trace_query not in connection.execute_wrappers:
        connection.execute_wrappers.append(_trace_query)
