"""Small rows that a process keeps for as long as the database tells it the same stamp.

For what is joined to everything and hardly ever changes: a join costs each reader of each row, a stamp is
read once. The stamp changes in the transaction that changes any of the rows, and never becomes what it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Generic, TypeVar

V = TypeVar("V")


class StampedRows(Generic[V]):
    """Rows by their keys, all of one stamp: with another one it begins anew, as it does when it is full."""

    def __init__(self, *, size: int) -> None:
        """Nothing is kept yet; about `size` rows at the most will be."""
        self._size = size
        self._kept: tuple[int | None, dict[int, V]] = (None, {})

    def get(
        self, stamp: int | None, keys: Collection[int], load: Callable[[Collection[int]], Mapping[int, V]]
    ) -> Mapping[int, V]:
        """The rows of `keys`, and perhaps others, at least as new as the stamp; `load` reads those not kept.

        A key without a row is missing. Without a stamp nothing is kept. Whoever read an older stamp than
        others just did begins anew as well, which is dear but not wrong: what they load is at least as new.
        """
        known, rows = self._kept
        if stamp is None or stamp != known or len(rows) > self._size:
            rows = {}
            if stamp is not None:
                self._kept = (stamp, rows)
        missing = [key for key in keys if key not in rows]
        if missing:
            rows.update(load(missing))
        return rows

    def clear(self) -> None:
        """Forget all."""
        self._kept = (None, {})
