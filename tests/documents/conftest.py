"""Fixtures of the documents' tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cloudscribe.lib.postgresql import statements as prepared


@pytest.fixture
def world(client_for: Callable[..., Any]) -> Any:
    """A new workspace with its owner (tests.documents.world.World)."""
    from tests.documents.world import World  # noqa: PLC0415 (needs the models, which aren't loaded yet)

    return World(client_for)


@pytest.fixture
def pieces(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many statements went out at a time, where it was more than one."""
    found: list[int] = []
    together = prepared.rows_together

    def noting(asked: Any) -> Any:
        found.append(len(asked))
        return together(asked)

    monkeypatch.setattr(prepared, "rows_together", noting)
    return found
