"""Fixtures of the tests of documents' routes."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest


@pytest.fixture
def page(made: Any, as_made: None) -> Any:
    """What the file's fixture `made` made for all of its tests, as if no other had been there."""
    return dataclasses.replace(made)
