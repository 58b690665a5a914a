"""The check that nothing is lost, doubled or revived, whichever way the texts were aligned.

Segment by segment a merge is right, yet a line that one side moved and the other deleted would come back at
its new place, and one that both moved would stand at both. So lines, and words as well, are counted over all
changed segments.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence

from documents.merge.counting import fits
from documents.merge.segments import Lines, Outcome, Segment, Texts
from documents.merge.tokens import WORD


def misplaced(texts: Texts, segments: Sequence[Segment]) -> frozenset[int]:
    """The indexes of the segments that hold a line or a word which a side would not find as it left it.

    Lines without a letter or digit don't count: blank lines and fences come and go on both sides.
    """
    changed = [
        (index, segment)
        for index, segment in enumerate(segments)
        if segment.outcome not in {Outcome.SHARED, Outcome.CONFLICT}
    ]
    # Where words were merged neither side finds its whole lines.
    by_lines = [(index, segment) for index, segment in changed if segment.outcome is not Outcome.MERGED]
    known = set(texts.base)
    return _misplaced(texts, by_lines, _lines, known) or _misplaced(texts, changed, _words)


def _misplaced(
    texts: Texts,
    changed: Sequence[tuple[int, Segment]],
    units: Callable[[Lines], Iterable[str]],
    known: Collection[str] | None = None,
) -> frozenset[int]:
    """What doesn't fit; with `known` also what isn't among it and stands there more often than on a side.

    Both may have put a paragraph between the same two, and each alignment took another of the blank lines
    around it for the new one.
    """
    # what is counted → change in yours, in current and in the result
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    # … → the segments that hold it, but for those where both did the same: there is nothing to choose.
    holders: dict[str, set[int]] = defaultdict(set)
    for index, segment in changed:
        blamed = {index} if segment.outcome is not Outcome.SAME else set()
        for unit in units(texts.base[segment.base]):
            holders[unit] |= blamed
            counts[unit] = [count - 1 for count in counts[unit]]
        sides = (texts.yours[segment.yours], texts.current[segment.current], segment.merged(texts))
        for side, lines in enumerate(sides):
            for unit in units(lines):
                holders[unit] |= blamed
                counts[unit][side] += 1
    wrong = [
        unit
        for unit, change in counts.items()
        if not fits(*change) or (known is not None and unit not in known and change[2] > max(change[:2]))
    ]
    return frozenset(index for unit in wrong for index in holders[unit])


def _lines(lines: Lines) -> Iterable[str]:
    return (line for line in lines if any(map(str.isalnum, line)))


def _words(lines: Lines) -> Iterable[str]:
    return (word for line in lines for word in WORD.findall(line))
