"""axe-core's judgement of a page that a browser shows."""

from __future__ import annotations

import functools
import pathlib
import shutil
import subprocess

import pytest
from django.conf import settings
from selenium.webdriver.remote.webdriver import WebDriver

HERE = pathlib.Path(__file__).parent
TOOLS = pathlib.Path(settings.BASE_DIR, ".cache/axe-tools")
_RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then(found => done(found.violations.map(
  one => [one.id, one.impact, one.nodes.map(node => node.html.slice(0, 120))])));
"""


@functools.cache
def _script() -> str:
    script = TOOLS / "node_modules/axe-core/axe.min.js"
    stamp, lock = TOOLS / "package-lock.json", HERE / "package-lock.json"
    if not script.exists() or stamp.read_bytes() != lock.read_bytes():
        TOOLS.mkdir(parents=True, exist_ok=True)
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, TOOLS / name)
        subprocess.run(
            [shutil.which("npm") or "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=TOOLS,
            check=True,
            capture_output=True,
        )
    return script.read_text(encoding="utf-8")


def violations(page: WebDriver) -> list[list[object]]:
    """What axe finds on the page: rule, impact and places of each; skips where npm isn't there to get it."""
    if shutil.which("npm") is None:
        pytest.skip("axe-core comes by npm, which is not installed")
    page.execute_script(_script())
    found: list[list[object]] = page.execute_async_script(_RUN)
    return found
