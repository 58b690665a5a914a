"""The outermost middleware: a request's id, its context, its line in the log and its place in the metrics."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import structlog
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from cloudscribe.lib.actor import set_actor
from cloudscribe.lib.context import RequestContext, current_context, new_request_id, request_context
from cloudscribe.lib.observability import queries
from cloudscribe.lib.observability.logs import actor_label
from cloudscribe.lib.observability.metrics import HTTP_REQUESTS, HTTP_SECONDS
from cloudscribe.lib.observability.routes import route_of

# Methods are the client's to choose; as a label any others would grow without end.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

log = structlog.get_logger("cloudscribe.request")


class RequestMiddleware:
    """Give each request its id and clear away after it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._counters: dict[tuple[str, str, int], tuple[Any, Any]] = {}

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, with `X-Request-ID`."""
        started = time.perf_counter()
        work = RequestContext(new_request_id(request.META.get("HTTP_X_REQUEST_ID")))
        queries.begin(work)
        set_actor(None)
        with request_context(work):
            response = self.get_response(request)
            response.headers["X-Request-ID"] = work.request_id
            self._account(request, response, work, time.perf_counter() - started)
            queries.end(work)
        set_actor(None)
        return response

    def _account(
        self, request: HttpRequest, response: HttpResponseBase, work: RequestContext, seconds: float
    ) -> None:
        route = route_of(request)
        method = request.method if request.method in _METHODS else "OTHER"
        requests, durations = self._labelled(route, str(method), response.status_code)
        requests.inc()
        durations.observe(seconds)
        log.info(
            "request",
            request_id=work.request_id,
            actor=actor_label(),
            route=route,
            method=method,
            status=response.status_code,
            duration_ms=round(seconds * 1000, 1),
            **queries.costs(work),
        )

    def _labelled(self, route: str, method: str, status: int) -> tuple[Any, Any]:
        """The counters under these labels, kept: looking them up costs more than counting."""
        key = (route, method, status)
        if key not in self._counters:
            self._counters[key] = (
                HTTP_REQUESTS.labels(route=route, method=method, status=str(status)),
                HTTP_SECONDS.labels(route=route, method=method),
            )
        return self._counters[key]

    def process_view(self, request: HttpRequest, *_: Any) -> None:
        """Tell the context the route as soon as it is known, for events written inside the view."""
        current_context().route = route_of(request)
