"""The handbook's page on editing: its code is run as it stands there, against a whole installation."""

from __future__ import annotations

import json
import os
import pathlib
import re
import subprocess
import sys
import urllib.request
from typing import Any

import pytest
from django.conf import settings

from tests.system.installation import Run
from tests.system.test_readme_tour import EXPECTED, administrator

PAGE = pathlib.Path(settings.BASE_DIR) / "docs" / "editing.md"


def code(language: str) -> str:
    """All code of the page in one language, one script."""
    text = PAGE.read_text(encoding="utf-8")
    return "".join(re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL))


class Server:
    """The installation, and its administrator signed in."""

    def __init__(self, run: Run) -> None:
        self.address = f"http://127.0.0.1:{run.port}"
        email, password = administrator(run)
        self.token = ""
        self.token = self.ask("POST", "auth/login/", {"email": email, "password": password})["access"]

    @property
    def environment(self) -> dict[str, str]:
        """What the page asks its reader to have set."""
        return {**os.environ, "CLOUDSCRIBE": self.address, "TOKEN": self.token}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """The body of an answer that is no refusal."""
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers["Content-Type"] = "application/json"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.address}/api/v1/{path}", data, headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 (our own server)
            return {**json.load(answer), "etag": answer.headers["ETag"]}


@pytest.fixture
def server(run: Run) -> Server:
    """Signed in."""
    return Server(run)


@pytest.mark.system
def test_curl_prints_what_the_page_says(server: Server, tmp_path: pathlib.Path) -> None:
    """Each line that ends with `# → x` prints x, and nothing else is printed."""
    script = code("bash")
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=server.environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.splitlines() == EXPECTED.findall(script), done.stderr
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "resolved.md").read_text(encoding="utf-8") == (
        "# Bread\n\nFlour, 550 g\n\nWater, 400 g\n\n## Log\n\n- bought flour\n- baked\n"
    )


@pytest.mark.system
def test_python_lets_a_person_choose_and_goes_on(server: Server, tmp_path: pathlib.Path) -> None:
    """While somebody types, others write: what touches is asked about, again where they went on writing."""
    room = server.ask("POST", "workspaces/", {"name": "Kitchen"})["id"]
    made = {"workspace": room, "title": "Bread", "content": "Flour, 500 g\n\nWater, 350 g\n\nSalt, 10 g\n"}
    page = server.ask("POST", "documents/", made)
    path, etag = f"documents/{page['id']}/", page["etag"]
    (tmp_path / "edit.py").write_text(code("python"), encoding="utf-8")
    program = subprocess.Popen(
        [sys.executable, "edit.py", page["id"]],
        env=server.environment,
        cwd=tmp_path,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )

    def asked(for_what: str) -> None:
        assert program.stdout is not None
        assert program.stdout.read(len(for_what)) == for_what

    def type_in(*lines: str) -> None:
        assert program.stdin is not None
        program.stdin.write("".join(f"{line}\n" for line in lines))
        program.stdin.flush()

    with program:
        asked("Replace: ")
        others = {"content": made["content"].replace("350", "370").replace("10 g", "12 g")}
        etag = server.ask("PATCH", path, others, **{"If-Match": etag})["etag"]
        type_in("350 g", "400 g")
        asked("By: current: Water, 370 g\n\nyours: Water, 400 g\n\ncurrent or yours? ")
        others = {"content": others["content"].replace("370", "380")}
        server.ask("PATCH", path, others, **{"If-Match": etag})
        type_in("yours")
        asked("current: Water, 380 g\n\nyours: Water, 400 g\n\ncurrent or yours? ")
        type_in("yours")
        assert program.stdout is not None
        assert program.stdout.read() == "Flour, 500 g\n\nWater, 400 g\n\nSalt, 12 g\n\n"
    assert program.returncode == 0
    assert server.ask("GET", path)["content"] == "Flour, 500 g\n\nWater, 400 g\n\nSalt, 12 g\n"
