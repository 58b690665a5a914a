"""Fixtures of the documents' tests."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


@pytest.fixture
def world(client_for: Callable[..., Any]) -> Any:
    """A new workspace with its owner (tests.documents.world.World)."""
    from tests.documents.world import World  # noqa: PLC0415 (needs the models, which aren't loaded yet)

    return World(client_for)
