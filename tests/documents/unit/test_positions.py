"""Keys of order: always room, always in order, short where people append."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from documents.positions import FIRST, PositionError, position_between, positions_spread


def test_between_open_ends_starts_the_order() -> None:
    """The first sibling gets the first key."""
    assert position_between(None, None) == FIRST


@given(st.lists(st.integers(min_value=0, max_value=10_000), max_size=120))
def test_between_any_neighbours_keeps_the_order(choices: list[int]) -> None:
    """Wherever one inserts, the keys stay strictly sorted and every gap takes a further key."""
    keys: list[str] = []
    for choice in choices:
        index = choice % (len(keys) + 1)
        before = keys[index - 1] if index else None
        after = keys[index] if index < len(keys) else None
        keys.insert(index, position_between(before, after))
    assert keys == sorted(set(keys))


def test_appending_a_thousand_times_stays_short() -> None:
    """Appending costs three characters for a thousand siblings, not one each."""
    assert max(len(key) for key in positions_spread(1_000)) == 3


def test_prepending_a_thousand_times_stays_short() -> None:
    """Prepending is as cheap as appending."""
    key = FIRST
    for _ in range(1_000):
        key = position_between(None, key)
    assert len(key) == 3


def test_halving_one_gap_grows_by_a_character_in_about_six() -> None:
    """The worst insertion order grows the key slowly."""
    low, high = positions_spread(2)
    for _ in range(60):
        high = position_between(low, high)
    assert len(high) <= 14


@pytest.mark.parametrize(
    ("before", "after"),
    [("a0", "a0"), ("a1", "a0"), ("", None), ("a", None), ("a0é", None), ("a0V0", None), (None, "!")],
)
def test_between_what_are_no_neighbours_refuses(before: str | None, after: str | None) -> None:
    """Equal, reversed or malformed keys are refused rather than guessed at."""
    with pytest.raises(PositionError):
        position_between(before, after)
