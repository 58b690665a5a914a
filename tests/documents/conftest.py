"""Fixtures of the documents' tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cloudscribe.lib.postgresql import statements as prepared


@pytest.fixture(scope="module")
def new_world(once: Any) -> Callable[[], Any]:
    """Makes a workspace with its owner (tests.documents.world.World)."""
    from tests.documents.world import World  # noqa: PLC0415 (needs the models, which aren't loaded yet)
    from tests.fixtures import client_make  # noqa: PLC0415

    made: Callable[[], Any] = once(lambda: World(client_make))
    return made


@pytest.fixture
def world(new_world: Callable[[], Any], as_made: None) -> Any:
    """A workspace with its owner, as if no other test had been there."""
    return new_world()


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
