"""The README's tour is run as a newcomer would, against a whole installation, and prints what it says."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess

import pytest
from django.conf import settings

from tests.system.installation import Run

README = pathlib.Path(settings.BASE_DIR) / "README.md"
EXPECTED = re.compile(r"\s+# → (.*)$", re.MULTILINE)


def tour() -> str:
    """The code of the tour, one script."""
    section = README.read_text(encoding="utf-8").partition("## A five-minute tour")[2].partition("\n## ")[0]
    return "".join(re.findall(r"^```bash\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))


def administrator(run: Run) -> tuple[str, str]:
    """Address and password, where a newcomer finds them: in the banner of the first start."""
    found = {
        name: next(re.finditer(rf"^  {name} +(\S+)", run.output(), re.MULTILINE))[1]
        for name in ("Administrator", "Password")
    }
    return found["Administrator"], found["Password"]


@pytest.mark.system
def test_tour_newcomer_sees_what_the_readme_says(run: Run, tmp_path: pathlib.Path) -> None:
    """Each line that ends with `# → x` prints x, and nothing else is printed."""
    script = tour()
    email, password = administrator(run)
    environment = {
        **os.environ,
        "CLOUDSCRIBE": f"http://127.0.0.1:{run.port}",
        "CLOUDSCRIBE_DATA": str(run.data),
        "CLOUDSCRIBE_ADMIN_EMAIL": email,
        "CLOUDSCRIBE_ADMIN_PASSWORD": password,
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.stdout.splitlines() == EXPECTED.findall(script), done.stderr
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "bread.diff").read_text(encoding="utf-8").count("\n") >= 5
