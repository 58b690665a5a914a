"""Health and metrics."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from pytest_django import Settings

from cloudscribe.lib.observability import views
from cloudscribe.lib.observability.health import Probe

pytestmark = [pytest.mark.urls("tests.lib.api.things"), pytest.mark.django_db(transaction=True)]


@pytest.fixture
def http() -> Client:
    """A client on this machine."""
    return Client()


def test_live_asks_nothing(http: Client) -> None:
    """The process answers."""
    response = http.get("/health/live")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert response["Cache-Control"] == "no-store"


def test_ready_with_both_servers(http: Client) -> None:
    """All is well."""
    response = http.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_ready_without_redis(http: Client, redis_gone: None) -> None:
    """Redis is never needed for a right answer: degraded, and still ready."""
    response = http.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "degraded"})


def test_ready_with_redis_hung(http: Client, redis_hung: None) -> None:
    """A hung Redis is found out in time."""
    response = http.get("/health/ready")
    assert (response.status_code, response.json()) == (200, {"status": "degraded"})


def test_ready_without_postgres(http: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """503, so that the load balancer asks elsewhere."""
    monkeypatch.setattr(views, "postgres_probe", Probe(lambda: 1 / 0, patience=1))
    response = http.get("/health/ready")
    assert (response.status_code, response.json()) == (503, {"status": "unavailable"})


@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/metrics"])
def test_post_is_not_allowed(http: Client, path: str) -> None:
    """They are for reading; the refusal is a problem like any other."""
    response = http.post(path)
    assert (response.status_code, response.json()["code"]) == (405, "method_not_allowed")
    assert response["Allow"] == "GET, HEAD"


def test_metrics_count_requests_by_route(http: Client) -> None:
    """Route pattern, method and status are the labels; no id ever is."""
    http.get("/api/t/things/019af3c2-7b1e-7cc0-8a40-3c5d2f6b9e10/")
    text = http.get("/metrics").content.decode()
    line = r'cloudscribe_http_requests_total\{method="GET",route="/api/t/things/\{id\}/",status="401"\} [1-9]'
    assert re.search(line, text)
    assert "019af3c2" not in text


def test_metrics_of_a_made_up_method_share_a_label(http: Client) -> None:
    """Clients choose methods; labels must not grow with them."""
    http.generic("BREW", "/health/live")
    text = http.get("/metrics").content.decode()
    assert 'method="OTHER"' in text
    assert "BREW" not in text


def test_metrics_from_elsewhere(http: Client) -> None:
    """Without a token this machine alone may read."""
    response = http.get("/metrics", REMOTE_ADDR="192.0.2.7")
    assert (response.status_code, response.json()["code"]) == (403, "permission_denied")


@pytest.mark.parametrize(
    ("header", "status"), [("Bearer right", 200), ("Bearer wrong", 401), ("right", 401), ("", 401)]
)
def test_metrics_with_a_token(http: Client, settings: Settings, header: str, status: int) -> None:
    """Where a token is set it is asked of everybody, loopback included."""
    settings.METRICS_TOKEN = "right"
    assert http.get("/metrics", headers={"authorization": header}).status_code == status
