"""Where fenced code begins and ends."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

FENCE = re.compile(r" {0,3}(`{3,}(?=[^`]*$)|~{3,})")
# What a line that holds a fence begins with.
FENCE_BEGINS = frozenset("`~ ")


def fence_after(fence: str, opening: re.Match[str] | None, line: str) -> str:
    """The fence that is open after a line that stands in one or opens one; `opening` is FENCE's match."""
    if not fence:
        return opening[1] if opening else ""
    closed = opening and opening[1].startswith(fence) and not line[opening.end() :].strip()
    return "" if closed else fence


def outside_fences(lines: Iterable[str]) -> Iterator[str]:
    """The lines that are neither fences nor within one; for each block of code an empty line."""
    fence = ""
    for line in lines:
        opening = FENCE.match(line) if line[:1] in FENCE_BEGINS else None
        if fence or opening:
            if not fence:
                yield ""
            fence = fence_after(fence, opening, line)
        else:
            yield line
