"""Trees that several change at once."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.documents.races import PAIRS, Arena
from tests.fixtures import ApiClient

pytestmark = pytest.mark.django_db(transaction=True)


def test_below_an_ancestor_that_changes(client_for: Callable[..., ApiClient]) -> None:
    """What is created, copied or restored while an ancestor is moved, cut or trashed is where it is seen."""
    arena = Arena(client_for)
    for below, above in PAIRS:
        arena.round(below, above)


def test_each_below_the_other(client_for: Callable[..., ApiClient]) -> None:
    """One of them is moved, the other is refused: never a circle."""
    arena = Arena(client_for)
    assert [arena.crossed() for _ in range(3)] == [[200, 409]] * 3
