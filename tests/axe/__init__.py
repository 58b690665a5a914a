"""axe-core's judgement of a page that a browser shows."""

from __future__ import annotations

import functools
import pathlib
import shutil

import pytest
from selenium.webdriver.remote.webdriver import WebDriver

from tests.npm import npm_tools

HERE = pathlib.Path(__file__).parent
_RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then(found => done(found.violations.map(
  one => [one.id, one.impact, one.nodes.map(node => node.html.slice(0, 120))])));
"""


@functools.cache
def _script() -> str:
    return (npm_tools(HERE, "axe-tools") / "axe-core/axe.min.js").read_text(encoding="utf-8")


def violations(page: WebDriver) -> list[list[object]]:
    """What axe finds on the page: rule, impact and places of each; skips where npm isn't there to get it."""
    if shutil.which("npm") is None:
        pytest.skip("axe-core comes by npm, which is not installed")
    page.execute_script(_script())
    found: list[list[object]] = page.execute_async_script(_RUN)
    return found
