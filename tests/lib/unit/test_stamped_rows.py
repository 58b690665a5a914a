"""Rows that a process keeps under a stamp, without a database."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from cloudscribe.lib.stamped_rows import StampedRows


class Table:
    """Rows that can be changed, and which keys were read."""

    def __init__(self) -> None:
        self.rows = {1: "one", 2: "two", 3: "three"}
        self.read: list[list[int]] = []

    def load(self, keys: Collection[int]) -> dict[int, str]:
        """As a statement would."""
        self.read.append(sorted(keys))
        return {key: self.rows[key] for key in keys if key in self.rows}


@pytest.fixture
def table() -> Table:
    """A new one."""
    return Table()


def test_only_what_is_not_kept_is_read(table: Table) -> None:
    """Under one stamp each row is read once."""
    kept: StampedRows[str] = StampedRows(size=10)
    assert kept.get(7, {1}, table.load)[1] == "one"
    rows = kept.get(7, {1, 2}, table.load)
    assert (rows[1], rows[2]) == ("one", "two")
    kept.get(7, {1, 2}, table.load)
    assert table.read == [[1], [2]]


def test_another_stamp_begins_anew(table: Table) -> None:
    """Whatever was kept may have changed."""
    kept: StampedRows[str] = StampedRows(size=10)
    kept.get(7, {1, 2}, table.load)
    table.rows[1] = "first"
    assert kept.get(8, {1}, table.load)[1] == "first"
    assert kept.get(8, {2}, table.load)[2] == "two"
    assert table.read == [[1, 2], [1], [2]]


def test_what_was_loaded_under_an_older_stamp_is_not_taken_for_newer(table: Table) -> None:
    """One reads the old name, another learns of a new stamp meanwhile: the first keeps it to itself."""
    kept: StampedRows[str] = StampedRows(size=10)

    def overtaken(keys: Collection[int]) -> dict[int, str]:
        found = table.load(keys)
        table.rows[1] = "first"
        kept.get(8, {2}, table.load)
        return found

    assert kept.get(7, {1}, overtaken)[1] == "one"
    assert kept.get(8, {1}, table.load)[1] == "first"


def test_without_a_stamp_nothing_is_kept(table: Table) -> None:
    """Nobody could tell when it ends."""
    kept: StampedRows[str] = StampedRows(size=10)
    kept.get(None, {1}, table.load)
    table.rows[1] = "first"
    assert kept.get(None, {1}, table.load)[1] == "first"


def test_what_is_not_there_is_missing(table: Table) -> None:
    """And asked for again: it may come."""
    kept: StampedRows[str] = StampedRows(size=10)
    assert 4 not in kept.get(7, {1, 4}, table.load)
    table.rows[4] = "four"
    assert kept.get(7, {4}, table.load)[4] == "four"


def test_what_is_full_begins_anew(table: Table) -> None:
    """It never holds much more than it may."""
    kept: StampedRows[str] = StampedRows(size=1)
    kept.get(7, {1, 2}, table.load)
    assert set(kept.get(7, {3}, table.load)) == {3}
