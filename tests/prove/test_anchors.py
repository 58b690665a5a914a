"""Passages that threads hang on, carried through what people really wrote."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from documents.anchors import CONTEXT, AnchorState, Move, Passage, Place
from tests.prove.conftest import rows

_SENTENCE = re.compile(r"[A-Z][^.\n]{20,150}\.")


def histories(folder: Path) -> Iterator[list[str]]:
    """The texts of each file, the oldest first."""
    for row in rows(folder, "histories-*.jsonl.gz"):
        yield [revision["body"] for revision in row["revisions"]]


def sentences(text: str) -> list[tuple[Passage, Place]]:
    """Every sentence of a text that stands in it once."""
    return [
        (
            Passage(
                found[0],
                text[max(0, found.start() - CONTEXT) : found.start()],
                text[found.end() : found.end() + CONTEXT],
            ),
            Place(AnchorState.ANCHORED, found.start(), found.end()),
        )
        for found in _SENTENCE.finditer(text)
        if text.count(found[0]) == 1
    ]


def test_sentences_keep_their_place_from_each_revision_to_the_next(real_texts: Path) -> None:
    """Not one that stands there once, before and after, is missed; a thousand move in a moment."""
    states: Counter[str] = Counter()
    missed, spent = [], 0.0
    for texts in histories(real_texts):
        for old, new in pairwise(texts):
            quoted = sentences(old)
            began = time.process_time()
            move = Move(old, new)
            places = [move.place(*each) for each in quoted]
            spent += time.process_time() - began
            for (passage, _), place in zip(quoted, places, strict=True):
                states[str(place.state)] += 1
                if new.count(passage.quote) == 1 and new.index(passage.quote) != place.start:
                    missed.append((passage.quote, new[place.start : place.end]))
    each = spent / states.total() * 1_000
    print(f"\n{dict(states)}; missed: {missed}; {each:.2f} ms of CPU a passage and change")  # noqa: T201
    assert missed == []
    assert each < 5


def test_sentences_keep_their_place_through_a_whole_history(real_texts: Path) -> None:
    """What stands in every revision is anchored in the last; what is anchored or changed is really there."""
    lasting = reached = 0
    for texts in histories(real_texts):
        threads = sentences(texts[0])
        places = [place for _, place in threads]
        for old, new in pairwise(texts):
            move = Move(old, new)
            places = [move.place(passage, was) for (passage, _), was in zip(threads, places, strict=True)]
            for (passage, _), place in zip(threads, places, strict=True):
                now = new[place.start : place.end]
                assert (place.state is AnchorState.ANCHORED) == (now == passage.quote)
                assert (place.state is AnchorState.GONE) == (now == "")
        for (passage, _), place in zip(threads, places, strict=True):
            if all(text.count(passage.quote) == 1 for text in texts):
                lasting += 1
                reached += place.state is AnchorState.ANCHORED
    print(f"\n{reached} of {lasting} sentences that last are anchored in the end")  # noqa: T201
    assert reached == lasting > 0
