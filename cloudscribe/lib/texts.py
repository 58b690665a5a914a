"""Lines of text that people write and others read: names and titles."""

from __future__ import annotations

import re

# What joins or parts two letters that are written as one (Persian, the scripts of India), and the people of
# an emoji. Elsewhere it can't be seen, and one name would pass for another.
_JOINED = re.compile(r"(?<=[^\x00-\x7f\s\u200c\u200d])[\u200c\u200d](?=[^\x00-\x7f\s\u200c\u200d])")


def printable(text: str, instead: str = "") -> str:
    """`text` with `instead` for each character that can't be printed or seen."""
    joiners = {found.start() for found in _JOINED.finditer(text)}
    return "".join(
        letter if letter.isprintable() or place in joiners else instead for place, letter in enumerate(text)
    )
