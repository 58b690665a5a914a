"""Two thousand inserts at one place."""

from __future__ import annotations

from collections.abc import Callable

from documents import limits
from tests.documents.api.test_positions_kept_short import insert_behind_the_first
from tests.documents.world import World
from tests.fixtures import ApiClient


def test_2000_inserts_at_one_place(client_for: Callable[..., ApiClient]) -> None:
    """The order is that of the inserts, and no key outgrows its column."""
    assert insert_behind_the_first(World(client_for), 2_000) == limits.POSITION_LENGTH
