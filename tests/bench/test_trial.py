"""Which loads of the floor count."""

from __future__ import annotations

import pytest

from bench.trial import all_worked


@pytest.mark.parametrize(
    ("spent", "counts"),
    [([1.7, 2.0], True), ([0.3, 2.0], True), ([0.02, 2.2], False), ([0.0, 2.2], False), ([2.2], True)],
)
def test_floor_counts_where_all_of_its_processes_worked(spent: list[float], counts: bool) -> None:
    """An uneven share is one, next to nothing is none."""
    assert all_worked(spent) is counts
