"""The check that no line is lost, doubled or revived, whichever way the texts were aligned.

Segment by segment a merge is right, yet a line that one side moved and the other deleted would come back at
its new place, and one that both moved would stand at both. So lines are counted over all changed segments.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from documents.merge.segments import Outcome, Segment, Texts


def misplaced(texts: Texts, segments: Sequence[Segment]) -> frozenset[int]:
    """The indexes of the segments that hold a line which a side would not find as it left it.

    Lines without a letter or digit don't count: blank lines and fences come and go on both sides.
    """
    # line → [change in yours, change in current, change in the result, segments that hold it]
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    holders: dict[str, set[int]] = defaultdict(set)
    for index, segment in enumerate(segments):
        if segment.outcome in {Outcome.SHARED, Outcome.CONFLICT}:
            continue
        sides = (
            texts.yours[segment.yours],
            texts.current[segment.current],
            segment.merged(texts),
        )
        for line in texts.base[segment.base]:
            holders[line].add(index)
            counts[line] = [count - 1 for count in counts[line]]
        for side, lines in enumerate(sides):
            for line in lines:
                holders[line].add(index)
                counts[line][side] += 1
    wrong = [line for line, change in counts.items() if _has_words(line) and not _fits(*change)]
    return frozenset(index for line in wrong for index in holders[line])


def _has_words(line: str) -> bool:
    return any(character.isalnum() for character in line)


def _fits(yours: int, current: int, merged: int) -> bool:
    """Whether the result has as many of a line as both sides can accept, counted from the base."""
    if yours >= 0 and current >= 0:
        return max(yours, current) <= merged <= yours + current
    if yours <= 0 and current <= 0:
        return yours + current <= merged <= min(yours, current)
    return min(yours, current) <= merged <= max(yours, current)
