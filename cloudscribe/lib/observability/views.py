"""Health and metrics, for load balancers and Prometheus; outside of the API and its sign-in."""

from __future__ import annotations

import hmac
import ipaddress
from http import HTTPStatus

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from cloudscribe.lib.conditional import forbid_storing
from cloudscribe.lib.errors import Forbidden, NotAuthenticated
from cloudscribe.lib.observability import database  # noqa: F401 (has gauges of its own read)
from cloudscribe.lib.observability.health import postgres_probe, redis_probe
from cloudscribe.lib.observability.metrics import exposition
from cloudscribe.lib.observability.readings import Collector
from cloudscribe.lib.refusals import problem_response, reads_only
from cloudscribe.lib.renderers import dump_json

_read_when_asked = CollectorRegistry()
_read_when_asked.register(Collector())


@reads_only
def live(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is asked."""
    return _state("ok", HTTPStatus.OK)


@reads_only
def ready(request: HttpRequest) -> HttpResponse:
    """`ok`; `degraded` without Redis, which slows and stops nothing; 503 `unavailable` without PostgreSQL."""
    if not postgres_probe.passes():
        return _state("unavailable", HTTPStatus.SERVICE_UNAVAILABLE)
    return _state("ok" if redis_probe.passes() else "degraded", HTTPStatus.OK)


@reads_only
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus' text format, for the bearer of the token, or where none is set for loopback."""
    refusal = _metrics_refusal(request)
    if refusal is not None:
        return problem_response(refusal)
    text = exposition() + generate_latest(_read_when_asked)
    response = HttpResponse(text, content_type=CONTENT_TYPE_LATEST)
    forbid_storing(response)
    return response


def _metrics_refusal(request: HttpRequest) -> NotAuthenticated | Forbidden | None:
    token = settings.METRICS_TOKEN
    if token:
        sent = request.META.get("HTTP_AUTHORIZATION", "").encode("utf-8", "replace")
        good = hmac.compare_digest(sent, f"Bearer {token}".encode())
        return None if good else NotAuthenticated("Metrics need their own token.")
    try:
        near = ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        near = False
    return None if near else Forbidden("Without a token metrics are for this machine alone.")


def _state(state: str, status: HTTPStatus) -> HttpResponse:
    response = HttpResponse(dump_json({"status": state}), status=status, content_type="application/json")
    forbid_storing(response)
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        response.headers["Retry-After"] = "2"
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 (a 503 here is no error of ours)
    return response
