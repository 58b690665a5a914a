"""Failures of ours and of dependencies, at the HTTP edge."""

from __future__ import annotations

import json

import pytest
from django.test import Client
from structlog.testing import CapturingLogger

pytestmark = pytest.mark.urls("tests.lib.api.things")


@pytest.fixture
def http() -> Client:
    """A client that shows our answer to failures instead of raising them."""
    return Client(raise_request_exception=False)


def test_bug_in_a_view(http: Client) -> None:
    """500 that tells the request id and nothing internal."""
    response = http.get("/api/t/faults/?kind=bug")
    problem = response.json()
    assert (response.status_code, problem["code"], problem["error_type"]) == (
        500,
        "internal_error",
        "SystemError",
    )
    assert "secret" not in json.dumps(problem)


def test_bug_in_a_view_that_answers_markdown(http: Client) -> None:
    """Problems are JSON whatever form the client asked for."""
    response = http.get("/api/t/faults/?kind=bug", headers={"accept": "text/markdown"})
    assert response["Content-Type"] == "application/problem+json"


def test_database_gone(http: Client) -> None:
    """503 with Retry-After."""
    response = http.get("/api/t/faults/?kind=database")
    assert (response.status_code, response.json()["code"]) == (503, "unavailable")
    assert int(response["Retry-After"]) >= 1


@pytest.mark.django_db(transaction=True)
def test_statement_that_takes_too_long(http: Client) -> None:
    """A statement limit is a 503, and the connection is usable afterwards."""
    response = http.get("/api/t/faults/?kind=timeout")
    assert (response.status_code, response.json()["code"]) == (503, "timeout")
    assert http.get("/api/t/rows/").status_code == 200


@pytest.mark.parametrize(("kind", "status"), [("bug", 500), ("suspicious", 400)])
def test_failure_outside_the_views_of_the_framework(http: Client, kind: str, status: int) -> None:
    """Problem under /api/, a page elsewhere; neither tells anything internal."""
    problem = http.get(f"/api/t/plain/?kind={kind}")
    page = http.get(f"/pages/plain/?kind={kind}")
    assert problem.status_code == page.status_code == status
    assert problem["Content-Type"] == "application/problem+json"
    assert page["Content-Type"].startswith("text/html")
    assert b"secret" not in problem.content + page.content


def test_bug_outside_the_views_of_the_framework_is_logged_once(
    http: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With its trace, so that whoever is told a request id can find out."""
    log = CapturingLogger()
    monkeypatch.setattr("cloudscribe.lib.refusals.log", log)
    http.get("/pages/plain/?kind=bug")
    (call,) = log.calls
    assert (call.method_name, call.args, call.kwargs["exc_info"][0]) == (
        "error",
        ("request_failed",),
        RuntimeError,
    )


@pytest.mark.parametrize("path", ["/%00/", "/api/t/things/%00/"])
def test_path_with_a_null_character(http: Client, path: str) -> None:
    """Refused before anything reads it."""
    assert http.get(path).status_code == 400


def test_page_that_is_not_there(http: Client) -> None:
    """People get a page, with the request id to name when they ask for help."""
    response = http.get("/nothing/")
    assert response.status_code == 404
    assert response["X-Request-ID"].encode() in response.content
    assert response["Content-Type"].startswith("text/html")
