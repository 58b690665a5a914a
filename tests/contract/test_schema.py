"""The committed OpenAPI schema: current, valid by outside judges, fit to generate a client from."""

from __future__ import annotations

import compileall
import importlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
from typing import Any

import jsonschema_rs
import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from drf_spectacular import validation
from openapi_spec_validator import OpenAPIV31SpecValidator

from cloudscribe.management import reference
from tests.accounts.factories import PASSWORD, user_make
from tests.npm import npm_tools

pytestmark = pytest.mark.slow
HERE = pathlib.Path(__file__).parent
COMMITTED = pathlib.Path(settings.BASE_DIR, "docs/openapi.yaml")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The schema as the code makes it now; a warning of the generator fails."""
    file = tmp_path_factory.mktemp("schema") / "openapi.yaml"
    call_command("spectacular", file=str(file), fail_on_warn=True)
    return file


@pytest.fixture(scope="module")
def document(generated: pathlib.Path) -> dict[str, Any]:
    """What the schema says. libyaml reads it five times as fast as Python does."""
    with generated.open() as file:
        read: dict[str, Any] = yaml.load(file, yaml.CSafeLoader)
    return read


@pytest.fixture(scope="module")
def as_json(document: dict[str, Any], generated: pathlib.Path) -> pathlib.Path:
    """The same schema as JSON, which the tools read faster."""
    file = generated.with_suffix(".json")
    file.write_text(json.dumps(document))
    return file


def test_schema_committed_is_the_generated_one(generated: pathlib.Path) -> None:
    """Whoever changes the API sees the change of the contract in the same commit."""
    assert COMMITTED.read_text() == generated.read_text(), (
        "run `manage.py spectacular --file docs/openapi.yaml`"
    )


def test_schema_is_valid_openapi_3_1(document: dict[str, Any]) -> None:
    """openapi-spec-validator finds no error."""
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []


def test_schema_has_both_times_for_every_object(document: dict[str, Any]) -> None:
    """What has an id and tells when it was made tells when it was last changed, too."""
    shapes = document["components"]["schemas"].items()
    named = {name: set(shape.get("properties", {})) for name, shape in shapes}
    lacking = {name for name, has in named.items() if {"id", "created_at"} <= has and "updated_at" not in has}
    assert len(named) > 100
    assert lacking == set()


def test_schema_has_an_etag_for_every_read_that_may_be_kept(document: dict[str, Any]) -> None:
    """304 and the header stand in each GET of the API but for those of secrets, exports and sign-in."""
    reads = {path: item["get"]["responses"] for path, item in document["paths"].items() if "get" in item}
    without = {
        path for path, answers in reads.items() if "304" not in answers and path.startswith("/api/v1/")
    }
    assert without == {
        "/api/v1/auth/mfa/",
        "/api/v1/auth/oidc/",
        "/api/v1/jobs/{id}/file/",
        "/api/v1/shared/{secret}/documents/{key}/threads/",
        "/api/v1/shared/{secret}/threads/",
        "/api/v1/shared/{secret}/threads/{key}/comments/",
    }


def test_schema_is_valid_by_the_generator_s_own_measure(document: dict[str, Any]) -> None:
    """It fits the JSON schema of `spectacular --validate`, which takes 200 times as long to say so."""
    measure = pathlib.Path(validation.__file__).with_name("openapi_3_1_schema.json")
    found = jsonschema_rs.validator_for(json.loads(measure.read_text())).iter_errors(document)
    assert [error.message for error in found] == []


def test_schema_shows_refusals_that_there_are(document: dict[str, Any]) -> None:
    """The code, the words and the address of an example are a refusal's, which the page of errors tells."""
    known = {(refusal.status, refusal.code): refusal for refusal in reference.refusals()}
    shown = [
        response["content"]["application/problem+json"]["example"]
        for name, response in document["components"]["responses"].items()
        if name.startswith("Problem")
    ]
    assert shown
    for example in shown:
        refusal = known[example["status"], example["code"]]
        assert (example["title"], example["error_type"]) == (refusal.title, refusal.error_type)
        assert example["type"] == f"/api/docs/errors/#{refusal.code}"


@pytest.mark.skipif(shutil.which("npm") is None, reason="Spectral needs Node.js and npm")
def test_schema_passes_the_openapi_rules_of_spectral(as_json: pathlib.Path) -> None:
    """Not one error, warning or hint of Spectral's OpenAPI rule set."""
    spectral = npm_tools(HERE, "contract-tools") / ".bin/spectral"
    answer = subprocess.run(
        [
            *("node", "--require", HERE / "compile_once.cjs", spectral, "lint"),
            *("--ruleset", HERE / "spectral.yaml", "--format", "json", "--fail-severity", "hint", as_json),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_UPDATE_NOTIFIER": "1"},
    )
    findings = json.loads(answer.stdout[answer.stdout.index("[") : answer.stdout.rindex("]") + 1])
    assert [(f["code"], "/".join(map(str, f["path"])), f["message"]) for f in findings] == []


@pytest.fixture(scope="module")
def client_package(as_json: pathlib.Path, tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The Python package that openapi-python-client makes of the schema; its warnings fail."""
    tools = pathlib.Path(sys.executable).parent
    package = tmp_path_factory.mktemp("client") / "generated_client"
    answer = subprocess.run(
        [
            *(tools / "openapi-python-client", "generate", "--path", as_json),
            *("--output-path", package, "--meta", "none", "--fail-on-warning"),
            *("--config", HERE / "python-client.yaml"),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"},
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return package


def test_generated_client_compiles(client_package: pathlib.Path) -> None:
    """Every module of the generated package is valid Python."""
    assert compileall.compile_dir(client_package, quiet=1)


@pytest.mark.django_db(transaction=True)
def test_generated_client_signs_in_and_reads(
    client_package: pathlib.Path, live_server: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody who knows nothing but the schema signs in, makes a workspace and finds it in the list."""
    monkeypatch.syspath_prepend(str(client_package.parent))
    name = client_package.name
    load = importlib.import_module
    api, models = f"{name}.api", load(f"{name}.models")
    clients = load(f"{name}.client")
    user = user_make()
    base = str(live_server)
    found = load(f"{api}.auth.auth_login").sync(
        client=clients.Client(base_url=base),
        body=models.LoginInputRequest(email=user.email, password=PASSWORD),
    )
    signed_in = clients.AuthenticatedClient(base_url=base, token=found.access)
    load(f"{api}.workspaces.workspaces_create").sync(
        client=signed_in, body=models.WorkspaceCreateInputRequest(name="From a client")
    )
    page = load(f"{api}.workspaces.workspaces_list").sync(client=signed_in)
    assert [workspace.name for workspace in page.results] == ["From a client"]
