"""How often a line or a word may stand in a merge."""

from __future__ import annotations


def fits(yours: int, current: int, merged: int) -> bool:
    """Whether the result has as many of it as both sides can accept, each counted from the base."""
    if yours >= 0 and current >= 0:
        return max(yours, current) <= merged <= yours + current
    if yours <= 0 and current <= 0:
        return yours + current <= merged <= min(yours, current)
    return min(yours, current) <= merged <= max(yours, current)
