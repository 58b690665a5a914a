"""One installation for the tests of the system: a first start takes as long as a hundred other tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cloudscribe.lib.embedded.processes import wait_until
from tests.system.installation import Run


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """One data folder for all of them; what a failed test left running is ended."""
    found = Run(tmp_path_factory.mktemp("system") / "data")
    yield found
    found.end()


@pytest.fixture
def run(installation: Run) -> Run:
    """A running supervisor with all its children, whatever the test before has done to it."""
    if not (installation.serves() and wait_until(installation.whole, 10)):
        installation.end()
        installation.start()
    return installation


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End what would else go on beside hundreds of tests that have nothing to do with it."""
    if "installation" not in getattr(nextitem, "fixturenames", ()):
        used = getattr(item, "funcargs", {}).get("installation")
        if used is not None:
            used.end()
