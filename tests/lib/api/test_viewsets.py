"""What every route on the base viewset does."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from cloudscribe.lib.signals import access_denied
from tests.lib.api.things import UID

pytestmark = pytest.mark.urls("tests.lib.api.things")
THING = f"/api/t/things/{UID}/"
ME = {"authorization": "Test *"}
MEMBERS = {"type", "title", "status", "detail", "instance", "code", "error_type", "request_id", "errors"}


@pytest.fixture
def http() -> Client:
    """A client that shows our answer to failures instead of raising them."""
    return Client(raise_request_exception=False)


def _post(http: Client, url: str, body: Any, headers: dict[str, str] | None = None) -> Any:
    text = body if isinstance(body, bytes) else json.dumps(body)
    return http.post(url, text, "application/json", headers=headers or ME)


def _assert_problem(response: Any, status: int, code: str) -> dict[str, Any]:
    problem: dict[str, Any] = response.json()
    assert response.status_code == status, problem
    assert response["Content-Type"] == "application/problem+json"
    assert set(problem) >= MEMBERS
    assert (problem["code"], problem["status"]) == (code, status)
    assert problem["type"] == f"/api/docs/errors/#{code}"
    assert problem["instance"] == f"urn:uuid:{problem['request_id']}"
    assert problem["request_id"] == response["X-Request-ID"]
    return problem


def test_read_signed_in(http: Client) -> None:
    """The body in JSON with times in UTC; private caching, an ETag, a request id."""
    response = http.get(THING, headers=ME)
    assert response.json() == {"id": str(UID), "name": "x", "at": "2026-01-31T09:30:00.123456Z"}
    assert response["Content-Type"] == "application/json"
    assert response["ETag"] == '"1-7.x"'
    assert response["Cache-Control"] == "private, no-cache"
    assert response["Vary"] == "Authorization"
    assert re.fullmatch("[0-9a-f]{32}", response["X-Request-ID"])


def test_read_by_who_holds_it_already(http: Client) -> None:
    """304 without a body, with the same headers."""
    response = http.get(THING, headers={**ME, "if-none-match": 'W/"1-7.x"'})
    assert (response.status_code, response.content) == (304, b"")
    assert response["ETag"] == '"1-7.x"'
    assert response["Cache-Control"] == "private, no-cache"


def test_read_whose_action_names_no_etag_has_one_by_its_bytes(http: Client) -> None:
    """200 with the tag; 304 for whoever holds it, 200 for whoever holds another one."""
    first = http.get("/api/t/tree/?depth=2", headers=ME)
    again = http.get("/api/t/tree/?depth=2", headers={**ME, "if-none-match": first["ETag"]})
    other = http.get("/api/t/tree/?depth=3", headers={**ME, "if-none-match": first["ETag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert (again["ETag"], again["Cache-Control"]) == (first["ETag"], "private, no-cache")
    assert "Content-Type" not in again
    assert (other.status_code, other.json()) == (200, {"depth": 3})
    assert other["ETag"] != first["ETag"]


def test_head_answers_like_get_without_a_body(http: Client) -> None:
    """HEAD is GET for headers."""
    response = http.head(THING, headers=ME)
    assert (response.status_code, response.content, response["ETag"]) == (200, b"", '"1-7.x"')


def test_options_tells_the_methods_to_everybody(http: Client) -> None:
    """It says no more than a 405 does, so nobody needs to sign in for it."""
    response = http.options(THING)
    assert (response.status_code, response.content) == (204, b"")
    assert "Content-Type" not in response
    assert set(response["Allow"].split(", ")) == {"GET", "HEAD", "PATCH", "DELETE", "OPTIONS"}


@pytest.mark.parametrize("headers", [{}, ME])
def test_method_that_is_not_there(http: Client, headers: dict[str, str]) -> None:
    """405 with `Allow`, signed in or not."""
    response = http.put(THING, "{}", "application/json", headers=headers)
    problem = _assert_problem(response, 405, "method_not_allowed")
    assert problem["error_type"] == "BusinessError"
    assert "PATCH" in response["Allow"]


@pytest.mark.parametrize("headers", [{}, {"authorization": "Other x"}])
def test_read_not_signed_in(http: Client, headers: dict[str, str]) -> None:
    """401 with a challenge, without a credential and with a bad one."""
    response = http.get(THING, headers=headers)
    problem = _assert_problem(response, 401, "not_authenticated")
    assert problem["error_type"] == "AuthError"
    assert response["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "url", ["/api/t/things/019af3c2-7b1e-7cc0-8a40-000000000000/", "/api/t/things/none/", "/api/t/nothing/"]
)
def test_read_what_is_not_there(http: Client, url: str) -> None:
    """Absent, misspelt and unrouted give one and the same answer."""
    problem = _assert_problem(http.get(url, headers=ME), 404, "not_found")
    assert {name: problem[name] for name in ("title", "detail", "errors", "error_type")} == {
        "title": "Not found",
        "detail": "There is nothing here that you can see.",
        "errors": [],
        "error_type": "BusinessError",
    }


def test_create(http: Client) -> None:
    """201 with an absolute Location and the ETag."""
    response = _post(http, "/api/t/things/", {"name": " a "})
    assert response.status_code == 201
    assert response.json()["name"] == "a"
    assert response["Location"] == f"http://testserver/t/things/{UID}/"
    assert response["ETag"] == '"1-1.x"'


@pytest.mark.parametrize(
    ("body", "code", "pointer"),
    [
        ({"name": "taken"}, "invalid", "/name"),
        ({"name": "x" * 11}, "invalid", "/name"),
        ({"name": "x", "bogus": 1}, "unknown_property", "/bogus"),
        ({}, "invalid", "/name"),
        ([], "invalid", ""),
    ],
)
def test_create_with_a_fault(http: Client, body: Any, code: str, pointer: str) -> None:
    """400 that points at the fault."""
    problem = _assert_problem(_post(http, "/api/t/things/", body), 400, code)
    assert [fault["pointer"] for fault in problem["errors"]] == [pointer]
    assert problem["error_type"] == "ValidationError"


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (b"{", "application/json", 400, "malformed_body"),
        (b'{"name": "a\\u0000"}', "application/json", 400, "malformed_body"),
        (b"[" * 1000, "application/json", 400, "malformed_body"),
        (b"{}", "application/json; charset=latin-1", 415, "unsupported_media_type"),
        (b"name=x", "application/x-www-form-urlencoded", 415, "unsupported_media_type"),
        (b"--x--", "multipart/form-data; boundary=x", 415, "unsupported_media_type"),
        (b"<x/>", "text/xml", 415, "unsupported_media_type"),
        (b"x", "nonsense", 415, "unsupported_media_type"),
        (b'{"name": "' + b"x" * 2000 + b'"}', "application/json", 413, "too_large"),
    ],
)
def test_create_with_an_unreadable_body(
    http: Client, settings: Settings, body: bytes, content_type: str, status: int, code: str
) -> None:
    """JSON only, not too much of it, and only what is safe to read."""
    settings.MAX_JSON_BYTES = 1_500
    response = http.post("/api/t/things/", body, content_type, headers=ME)
    _assert_problem(response, status, code)


@pytest.mark.parametrize(
    ("headers", "status", "code"),
    [
        ({"content-encoding": "gzip"}, 415, "unsupported_media_type"),
        ({"transfer-encoding": "gzip, chunked"}, 415, "unsupported_media_type"),
    ],
)
def test_create_with_an_encoded_body(http: Client, headers: dict[str, str], status: int, code: str) -> None:
    """A body that the server would misread is refused before it is read."""
    _assert_problem(_post(http, "/api/t/things/", {"name": "x"}, {**ME, **headers}), status, code)


@pytest.mark.parametrize(("size", "status"), [(10, 201), (2_000, 413)])
def test_create_with_a_body_in_chunks(http: Client, settings: Settings, size: int, status: int) -> None:
    """Streaming clients know no length beforehand; the limit holds for them, too."""
    settings.MAX_JSON_BYTES = 1_500
    body = json.dumps({"name": "x" * size}).encode()
    server = {"wsgi.input": io.BytesIO(body), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    headers = {**ME, "transfer-encoding": "chunked"}
    response = http.post("/api/t/things/", body, "application/json", headers=headers, **server)
    assert response.status_code == status


@pytest.mark.parametrize(
    "query",
    ["bogus=1", "depth=5&bogus=1", "depth=x", "depth=0", "depth=%00", "depth=%ff", "x=" + "y" * 9_000],
)
def test_read_with_a_bad_query(http: Client, query: str) -> None:
    """Unknown, mistyped, out of range and unreadable parameters are refused, never ignored."""
    response = http.get(f"/api/t/tree/?{query}", headers=ME)
    assert response.status_code == 400
    assert response.json()["code"] in {"unknown_parameter", "invalid", "bad_request"}


def test_read_with_an_unknown_parameter_names_it(http: Client) -> None:
    """`errors` says `?name`."""
    problem = _assert_problem(http.get("/api/t/tree/?bogus=1", headers=ME), 400, "unknown_parameter")
    assert problem["errors"][0]["pointer"] == "?bogus"


def test_read_with_typed_parameters(http: Client) -> None:
    """The action gets checked values."""
    assert http.get("/api/t/tree/?depth=5", headers=ME).json() == {"depth": 5}


def test_action_without_input_takes_an_empty_object_only(http: Client) -> None:
    """What an action doesn't read is refused like any unknown property."""
    headers = {"authorization": "Test * things.manage"}
    assert http.post("/api/t/manage/", content_type="application/json", headers=headers).status_code == 200
    assert _post(http, "/api/t/manage/", {}, headers).status_code == 200
    _assert_problem(_post(http, "/api/t/manage/", {"x": 1}, headers), 400, "unknown_property")


def test_patch_without_if_match(http: Client) -> None:
    """428 where the action requires it."""
    _assert_problem(http.patch(THING, "{}", "application/json", headers=ME), 428, "precondition_required")


def test_patch_with_a_star(http: Client) -> None:
    """`If-Match: *` is refused."""
    headers = {**ME, "if-match": "*"}
    _assert_problem(http.patch(THING, "{}", "application/json", headers=headers), 400, "if_match_any")


def test_delete(http: Client) -> None:
    """204 without a body."""
    response = http.delete(THING, headers=ME)
    assert (response.status_code, response.content) == (204, b"")


def test_token_with_the_scope(http: Client) -> None:
    """A token reaches what its scopes name."""
    assert http.get(THING, headers={"authorization": "Test things:read"}).status_code == 200


def test_token_without_the_scope(http: Client) -> None:
    """403 that names the scope."""
    response = _post(http, "/api/t/things/", {"name": "x"}, {"authorization": "Test things:read"})
    assert _assert_problem(response, 403, "missing_scope")["scope"] == "things:write"


def test_token_on_an_action_that_names_no_scope(http: Client) -> None:
    """What nobody thought of when a token was cut is closed to it."""
    response = http.delete(THING, headers={"authorization": "Test things:read,things:write"})
    _assert_problem(response, 403, "missing_scope")


@pytest.mark.parametrize(("permission", "status"), [("things.manage", 200), ("things.other", 403)])
def test_action_of_those_with_a_permission(http: Client, permission: str, status: int) -> None:
    """One named permission decides."""
    response = _post(http, "/api/t/manage/", {}, {"authorization": f"Test * {permission}"})
    assert response.status_code == status


@pytest.mark.parametrize(("method", "url"), [("get", "/api/t/undeclared/"), ("post", "/api/t/nobody/")])
def test_view_without_a_permission_class(http: Client, method: str, url: str) -> None:
    """Default deny: nobody gets in, signed in or not."""
    assert http.generic(method.upper(), url, headers=ME).status_code == 403
    assert http.generic(method.upper(), url).status_code == 401


def test_forbidden_is_told_to_the_audit_trail(http: Client) -> None:
    """An authenticated 403 sends `access_denied` once; an anonymous one nothing."""
    told: list[dict[str, Any]] = []

    def hear(sender: Any, **news: Any) -> None:
        told.append(news)

    access_denied.connect(hear)
    http.get("/api/t/faults/?kind=forbidden", headers=ME)
    http.get("/api/t/faults/?kind=forbidden")
    access_denied.disconnect(hear)
    (news,) = told
    assert (news["actor"].uid, news["code"], news["route"]) == (UID, "permission_denied", "/api/t/faults/")


def test_secret_is_not_stored(http: Client) -> None:
    """`no_store` actions are kept by no cache."""
    response = http.get("/api/t/secret/", headers=ME)
    assert response["Cache-Control"] == "no-store"
    assert response.json() == {"secret": 1}


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "text/html, application/json;q=0.5",
        "*/*;q=0.1",
        "application/json; charset=utf-8",
        "Application/*",
    ],
)
def test_accept_that_json_fulfils(http: Client, accept: str) -> None:
    """An empty header wants nothing in particular; parameters of JSON mean nothing."""
    assert http.get(THING, headers={**ME, "accept": accept}).status_code == 200


@pytest.mark.parametrize("accept", ["application/json;q=0", "*/*, application/json;q=0", "nonsense"])
def test_accept_that_refuses_json(http: Client, accept: str) -> None:
    """A weight of 0 is a no, and the narrower range decides."""
    _assert_problem(http.get(THING, headers={**ME, "accept": accept}), 406, "not_acceptable")


def test_accept_that_nothing_fulfils(http: Client) -> None:
    """406 as a problem, although nobody asked for JSON."""
    _assert_problem(http.get(THING, headers={**ME, "accept": "text/html"}), 406, "not_acceptable")


@pytest.mark.parametrize("wanted", ["abcdEFGH_-12", "x" * 80])
def test_request_id_of_the_client_is_kept(http: Client, wanted: str) -> None:
    """So that a call can be followed through several services."""
    assert http.get(THING, headers={**ME, "x-request-id": wanted})["X-Request-ID"] == wanted


@pytest.mark.parametrize("wanted", ["short", "x" * 81, "has space12", "línea-nueva", "a;b;c;d;e;f"])
def test_request_id_of_another_form_is_replaced(http: Client, wanted: str) -> None:
    """Nothing of the client's reaches logs unchecked."""
    assert http.get(THING, headers={**ME, "x-request-id": wanted})["X-Request-ID"] != wanted
