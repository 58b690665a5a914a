"""The committed OpenAPI schema: current, valid by outside judges, fit to generate a client from."""

from __future__ import annotations

import compileall
import json
import os
import pathlib
import shutil
import subprocess
import sys

import pytest
import yaml
from django.conf import settings
from django.core.management import call_command
from openapi_spec_validator import OpenAPIV31SpecValidator

HERE = pathlib.Path(__file__).parent
COMMITTED = pathlib.Path(settings.BASE_DIR, "docs/openapi.yaml")
TOOLS = pathlib.Path(settings.BASE_DIR, ".cache/contract-tools")


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """The schema as the code makes it now; a warning of the generator fails."""
    file = tmp_path_factory.mktemp("schema") / "openapi.yaml"
    call_command("spectacular", file=str(file), fail_on_warn=True, validate=True)
    return file


def test_schema_committed_is_the_generated_one(generated: pathlib.Path) -> None:
    """Whoever changes the API sees the change of the contract in the same commit."""
    assert COMMITTED.read_text() == generated.read_text(), "run `make schema`"


def test_schema_is_valid_openapi_3_1(generated: pathlib.Path) -> None:
    """openapi-spec-validator finds no error."""
    assert [
        error.message
        for error in OpenAPIV31SpecValidator(yaml.safe_load(generated.read_text())).iter_errors()
    ] == []


def _spectral() -> pathlib.Path:
    tool = TOOLS / "node_modules/.bin/spectral"
    stamp = TOOLS / "package-lock.json"
    lock = HERE / "package-lock.json"
    if not tool.exists() or stamp.read_bytes() != lock.read_bytes():
        TOOLS.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, TOOLS / name)
        subprocess.run(
            [shutil.which("npm") or "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=TOOLS,
            check=True,
            capture_output=True,
        )
    return tool


@pytest.mark.skipif(shutil.which("npm") is None, reason="Spectral needs Node.js and npm")
def test_schema_passes_the_openapi_rules_of_spectral(generated: pathlib.Path) -> None:
    """Not one error, warning or hint of Spectral's OpenAPI rule set."""
    answer = subprocess.run(
        [
            _spectral(),
            "lint",
            "--ruleset",
            HERE / "spectral.yaml",
            "--format",
            "json",
            "--fail-severity",
            "hint",
            generated,
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_UPDATE_NOTIFIER": "1"},
    )
    findings = json.loads(answer.stdout[answer.stdout.index("[") : answer.stdout.rindex("]") + 1])
    assert [(f["code"], "/".join(map(str, f["path"])), f["message"]) for f in findings] == []


def test_schema_generates_a_client_that_compiles(generated: pathlib.Path, tmp_path: pathlib.Path) -> None:
    """openapi-python-client makes a package of it without a warning, and every module compiles."""
    answer = subprocess.run(
        [
            pathlib.Path(sys.executable).parent / "openapi-python-client",
            "generate",
            "--path",
            generated,
            "--output-path",
            tmp_path / "client",
            "--meta",
            "none",
            "--fail-on-warning",
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert compileall.compile_dir(tmp_path / "client", quiet=1)
