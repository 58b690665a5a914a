"""The races of trees, many rounds of each."""

from __future__ import annotations

import collections
from collections.abc import Callable

import pytest

from tests.documents.races import PAIRS, Arena
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize(("below", "above"), PAIRS)
def test_below_an_ancestor_that_changes(
    client_for: Callable[..., ApiClient], request: pytest.FixtureRequest, below: str, above: str
) -> None:
    """After each round no path, reach or reader is stale."""
    arena, seen = Arena(client_for), collections.Counter[tuple[int, int]]()
    for _ in range(request.config.getoption("--rounds")):
        seen[arena.round(below, above)] += 1
        arena.clear()
    print(f"\n{below} against {above}: {dict(seen)}")  # noqa: T201


def test_each_below_the_other(client_for: Callable[..., ApiClient], request: pytest.FixtureRequest) -> None:
    """Never a circle: one is moved, the other refused."""
    arena = Arena(client_for)
    for _ in range(request.config.getoption("--rounds")):
        assert arena.crossed() == [200, 409]
        arena.clear()
