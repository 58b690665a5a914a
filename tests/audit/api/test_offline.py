"""The script in docs/audit.md, as it stands there: an outsider checks an export without us."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import sys

import pytest
from django.conf import settings

from audit.checkpoints import verifier_keys
from tests.audit.api.test_export import auditor, data, exported, sealed

__all__ = ["auditor", "data"]

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = pathlib.Path(settings.BASE_DIR) / "docs/audit.md"


@pytest.fixture
def script(tmp_path: pathlib.Path) -> pathlib.Path:
    """The page's program in a file of its own."""
    found = re.search(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found
    path = tmp_path / "verify.py"
    path.write_text(found[1])
    return path


def run(script: pathlib.Path, archive: pathlib.Path, key: str) -> subprocess.CompletedProcess[str]:
    """The program's end, in a process that knows nothing of ours."""
    command = [sys.executable, "-I", str(script), str(archive), key]
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=script.parent)


def test_script_accepts_an_export(auditor: object, data: pathlib.Path, script: pathlib.Path) -> None:
    """It counts the events and names the log."""
    sealed(*"abcdefghijk")
    archive = data / "events.ndjson"
    archive.write_bytes(exported(auditor, action="x.made"))
    done = run(script, archive, str(verifier_keys(settings.AUDIT_ORIGIN)[0]))
    assert done.stdout.startswith(f"11 events stand in {settings.AUDIT_ORIGIN} of "), done.stderr


@pytest.mark.parametrize("member", ["leaf", "detail"])
def test_script_finds_what_was_changed(
    auditor: object, data: pathlib.Path, script: pathlib.Path, member: str
) -> None:
    """An event or its personal part."""
    numbers = sealed("a", "b")
    lines = exported(auditor, action="x.made").splitlines()
    entry = json.loads(lines[2])
    changed = (
        entry["leaf"].replace("x.made", "x.other") if member == "leaf" else {**entry["detail"], "body": "{}"}
    )
    entry[member] = changed
    archive = data / "events.ndjson"
    archive.write_bytes(b"\n".join([*lines[:2], json.dumps(entry).encode()]))
    done = run(script, archive, str(verifier_keys(settings.AUDIT_ORIGIN)[0]))
    assert done.returncode == 1
    assert f"sequence {numbers[1]}" in done.stderr
