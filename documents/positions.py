"""Keys of order among siblings: texts that sort by "C" collation, with room between any two of them.

A key is an integer part and a fraction over 62 digits. The first letter of the integer part says how many
digits follow (`a` one … `z` 26, and `Z` one … `A` 26 below zero), so that appending for ever grows a key by
one character in 62 steps of the digit count, not in every step; inserting between two neighbours lengthens
the fraction by about one character in six insertions. The idea is that of fractional indexing (D. Greenspan,
"Implementing Fractional Indexing", 2020).
"""

from __future__ import annotations

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
FIRST = "a0"
_BASE = len(DIGITS)
_VALUE = {digit: value for value, digit in enumerate(DIGITS)}


class PositionError(ValueError):
    """The two keys leave no room: they are equal, in the wrong order, or no keys."""


def position_between(before: str | None, after: str | None) -> str:
    """A key that sorts after `before` and before `after`; None is the open end. Raises PositionError."""
    if before is not None and after is not None and before >= after:
        raise PositionError(f"no room between {before!r} and {after!r}")
    if before is None and after is None:
        return FIRST
    if before is None:
        return _ahead_of(str(after))
    whole, fraction = _split(before)
    if after is None:
        following = _step(whole, 1)
        return following if following is not None else whole + _middle(fraction, None)
    whole_after, fraction_after = _split(after)
    if whole == whole_after:
        return whole + _middle(fraction, fraction_after)
    following = _step(whole, 1)
    if following is not None and following < after:
        return following
    return whole + _middle(fraction, None)


def position_at(index: int) -> str:
    """The key of sibling number `index`, from 0, where each was appended to the one before."""
    width = 1
    while index >= _BASE**width:
        index -= _BASE**width
        width += 1
    return chr(ord("a") + width - 1) + _digits(index, width)


def positions_spread(count: int) -> list[str]:
    """`count` short keys in order, for siblings that are numbered anew."""
    return [position_at(index) for index in range(count)]


def _ahead_of(after: str) -> str:
    whole, fraction = _split(after)
    if fraction:
        return whole
    preceding = _step(whole, -1)
    if preceding is None:
        raise PositionError(f"no room before {after!r}")
    return preceding


def _width(head: str) -> int:
    if "a" <= head <= "z":
        return ord(head) - ord("a") + 1
    if "A" <= head <= "Z":
        return ord("Z") - ord(head) + 1
    raise PositionError(f"no key starts with {head!r}")


def _split(key: str) -> tuple[str, str]:
    """The integer part and the fraction; raises PositionError for what is no key."""
    end = 1 + _width(key[:1] or "?")
    whole, fraction = key[:end], key[end:]
    if len(whole) < end or not set(key[1:]) <= _VALUE.keys() or fraction.endswith("0"):
        raise PositionError(f"not a key: {key!r}")
    return whole, fraction


def _step(whole: str, by: int) -> str | None:
    """The integer part one up or down, None beyond the last of 26 digits."""
    head, width = whole[0], len(whole) - 1
    value = 0
    for digit in whole[1:]:
        value = value * _BASE + _VALUE[digit]
    value += by
    if 0 <= value < _BASE**width:
        return head + _digits(value, width)
    neighbour = _neighbour_head(head, by)
    if neighbour is None:
        return None
    width = _width(neighbour)
    return neighbour + (DIGITS[0] if by > 0 else DIGITS[-1]) * width


def _neighbour_head(head: str, by: int) -> str | None:
    if head == "Z" and by > 0:
        return "a"
    if head == "a" and by < 0:
        return "Z"
    neighbour = chr(ord(head) + by)
    return neighbour if neighbour.isascii() and neighbour.isalpha() else None


def _digits(value: int, width: int) -> str:
    digits = []
    for _ in range(width):
        value, digit = divmod(value, _BASE)
        digits.append(DIGITS[digit])
    return "".join(reversed(digits))


def _middle(low: str, high: str | None) -> str:
    """The shortest fraction about half way between two; `high` None is one. Never ends in the digit zero."""
    shared = []
    index = 0
    while True:
        floor = _VALUE[low[index]] if index < len(low) else 0
        ceiling = _BASE if high is None else _VALUE[high[index]] if index < len(high) else 0
        if floor == ceiling:
            shared.append(DIGITS[floor])
        elif ceiling - floor > 1:
            return "".join(shared) + DIGITS[(floor + ceiling) // 2]
        else:
            # No digit lies between: stay on the lower one, from here on only `low` bounds.
            shared.append(DIGITS[floor])
            high = None
        index += 1
