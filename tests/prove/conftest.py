"""Options of the proofs: they measure on real texts that are no part of the project."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.security.serving import served


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--real-texts` names the folder with the texts, the others say how much is tried."""
    parser.addoption(
        "--real-texts", default=None, help="folder with merges-*.jsonl.gz and histories-*.jsonl.gz"
    )
    parser.addoption("--operations", type=int, default=100_000, help="random operations against the oracle")
    parser.addoption("--seed", type=int, default=0, help="the first seed of random operations and pairs")
    parser.addoption("--steps", type=int, default=10_000, help="random steps that are followed by the feed")
    parser.addoption("--pairs", type=int, default=10_000, help="random pairs to explain")
    parser.addoption("--rounds", type=int, default=50, help="rounds of each race")


@pytest.fixture(autouse=True)
def _unlimited(settings: Any) -> None:
    """A proof asks as often as the machine can: so many from one person are none of the limiter's here."""
    settings.RATELIMIT_ENABLE = False


@pytest.fixture
def real_texts(request: pytest.FixtureRequest) -> Path:
    """The folder with real texts; the test is skipped where none is named."""
    folder = request.config.getoption("--real-texts", default=None)
    if not folder or not Path(folder).is_dir():
        pytest.skip("no folder with real texts is named by --real-texts")
    return Path(folder)


@pytest.fixture
def port(transactional_db: None) -> Iterator[int]:
    """Two workers of four threads, as `make run` has."""
    with served(2, 4, {"RATELIMIT_ENABLE": "false"}) as port:
        yield port


def rows(folder: Path, pattern: str) -> list[dict[str, Any]]:
    """The lines of the files that match, each a JSON object."""
    return [
        json.loads(line)
        for path in sorted(folder.glob(pattern))
        for line in gzip.open(path, "rt", encoding="utf-8")
    ]
