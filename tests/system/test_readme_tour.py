"""The README's tour is run as a newcomer would, against a whole installation, and prints what it says."""

from __future__ import annotations

import os
import pathlib
import re
import subprocess

import pytest
from django.conf import settings

from bench import servers

README = pathlib.Path(settings.BASE_DIR) / "README.md"
EXPECTED = re.compile(r"\s+# → (.*)$", re.MULTILINE)


def tour() -> str:
    """The code of the tour, one script."""
    section = README.read_text(encoding="utf-8").partition("## A five-minute tour")[2].partition("\n## ")[0]
    return "".join(re.findall(r"^```bash\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))


@pytest.mark.system
def test_tour_newcomer_sees_what_the_readme_says(tmp_path: pathlib.Path) -> None:
    """Each line that ends with `# → x` prints x, and nothing else is printed."""
    script = tour()
    with servers.cloudscribe(tmp_path) as server:
        environment = {
            **os.environ,
            "CLOUDSCRIBE": server.url,
            "CLOUDSCRIBE_DATA": str(tmp_path / "data"),
            "CLOUDSCRIBE_ADMIN_EMAIL": servers.EMAIL,
            "CLOUDSCRIBE_ADMIN_PASSWORD": servers.PASSWORD,
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
