"""The OpenAPI description of views on the base viewset, and its pages."""

from __future__ import annotations

import functools
import re
from typing import Any

import pytest
import yaml
from django.test import Client
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.validation import validate_schema
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.lib.api import things

pytestmark = pytest.mark.urls("tests.lib.api.things")


@functools.cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = SchemaGenerator(patterns=things.urlpatterns).get_schema(
        request=None, public=True
    )
    return schema


def _operation(path: str, method: str) -> dict[str, Any]:
    operation: dict[str, Any] = _schema()["paths"][path][method]
    return operation


def test_schema_is_valid() -> None:
    """An outside validator accepts it."""
    validate_schema(_schema())
    OpenAPIV31SpecValidator(_schema()).validate()


def test_operation_has_all_that_readers_need() -> None:
    """Id, tag, summary, description, security, a typed path parameter, headers, an example."""
    operation = _operation("/api/t/things/{id}/", "get")
    assert operation["operationId"] == "api_t_things_retrieve"
    assert operation["summary"] == "Show a thing"
    assert "`things:read`" in operation["description"]
    assert operation["security"] == [{"bearer": []}]
    names = {(one["name"], one["in"]) for one in operation["parameters"]}
    assert names == {("id", "path"), ("If-None-Match", "header")}
    success = operation["responses"]["200"]
    assert set(success["headers"]) == {"ETag", "RateLimit", "RateLimit-Policy", "X-Request-ID"}
    assert success["content"]["application/json"]["example"]["name"] == "text"
    assert set(operation["responses"]) == {
        "200",
        "304",
        "400",
        "401",
        "403",
        "404",
        "406",
        "429",
        "500",
        "503",
    }


def test_creation_lists_location_and_its_refusals() -> None:
    """201 with Location, the Idempotency-Key, no unknown properties, and what can go wrong."""
    operation = _operation("/api/t/things/", "post")
    assert "Location" in operation["responses"]["201"]["headers"]
    assert "Idempotency-Key" in {one["name"] for one in operation["parameters"]}
    reference = operation["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    body = _schema()["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    assert body["additionalProperties"] is False
    assert body["properties"]["name"] == {"type": "string", "minLength": 1, "maxLength": 10, "pattern": r"\S"}
    assert {"409", "413", "415", "422"} <= set(operation["responses"])


def test_conditional_write_lists_its_conditions() -> None:
    """If-Match is a required header, 412 and 428 are among the answers."""
    operation = _operation("/api/t/things/{id}/", "patch")
    assert {one["name"]: one["required"] for one in operation["parameters"]}["If-Match"] is True
    assert {"412", "428"} <= set(operation["responses"])


def test_public_list_describes_its_page() -> None:
    """No sign-in, paging and filter parameters, the page's shape."""
    operation = _operation("/api/t/rows/", "get")
    assert "security" not in operation
    names = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
    assert names == {"cursor", "page_size", "ordering", "id__gte"}
    reference = operation["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    page = _schema()["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    assert set(page["properties"]) == {"next", "previous", "results"}
    assert "401" not in operation["responses"]


def test_typed_query_is_described() -> None:
    """What `queries` declares stands in the description with its bounds."""
    parameters = _operation("/api/t/tree/", "get")["parameters"]
    (parameter,) = (one for one in parameters if one["in"] == "query")
    assert (parameter["name"], parameter["schema"]) == (
        "depth",
        {"type": "integer", "minimum": 1, "maximum": 20},
    )


def test_deletion_has_no_body() -> None:
    """204."""
    assert "content" not in _operation("/api/t/things/{id}/", "delete")["responses"]["204"]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        ("*/*", "application/vnd.oai.openapi+json"),
        ("application/json", "application/json"),
        ("application/vnd.oai.openapi+json, application/json", "application/vnd.oai.openapi+json"),
        ("application/yaml", "application/yaml"),
    ],
)
def test_schema_is_served_in_the_form_that_accept_names(accept: str, media_type: str) -> None:
    """JSON by default, YAML on request, the same description in both."""
    response = Client().get("/api/schema/", headers={"accept": accept})
    assert response.status_code == 200
    assert response["Content-Type"].split(";")[0] == media_type
    assert yaml.safe_load(response.content)["openapi"].startswith("3.1")


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/docs/", "/api/docs/redoc/", "/api/docs/errors/"])
def test_page_loads_nothing_from_elsewhere_and_no_inline_script(path: str) -> None:
    """Pages name their language and live with a strict content policy."""
    response = Client().get(path, headers={"accept": "text/html"})
    page = response.content.decode()
    assert response.status_code == 200
    assert '<html lang="en">' in page
    assert not re.search(r'(?:src|href)="(?:https?:)?//', page)
    assert not re.search(r"<script(?![^>]*\bsrc=)", page)
    assert "<style" not in page


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/nothing/", "/api/t/rows/?bogus=1", "/api/t/rows/?cursor=x"])
def test_errors_page_has_the_address_that_problems_name(path: str) -> None:
    """`type` leads to its line."""
    client = Client()
    problem = client.get(path).json()
    page, anchor = problem["type"].split("#")
    assert f'id="{anchor}"' in client.get(page).content.decode()
