"""What a merge promises of any three texts: documents that two people edited to make trouble."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents.merge import MergeResult, merge_texts
from tests.documents.edits import Writer, drawn
from tests.documents.losses import line_losses, torn, word_losses
from tests.documents.unit.test_merge_lines import resolve

_DRAWN = st.integers(0, 2**32).map(drawn)
_ENDS = st.sampled_from(["\n", "\r\n", "\r", "\u2028", "\x0b", "\x85"])


@settings(max_examples=250, deadline=None)
@given(_DRAWN)
def test_merge_loses_doubles_and_revives_no_word(texts: tuple[str, str, str]) -> None:
    """Every word and every line of a clean merge is there as often as both sides can accept."""
    merged = merge_texts(*texts).text
    if merged is not None:
        assert word_losses(*texts, merged) == []
        assert line_losses(*texts, merged) == []


# Always the same documents: what two people broke in ways that only together show counts as torn, too, once
# in a thousand times.
@pytest.mark.parametrize("seed", range(0, 300, 50))
def test_merge_keeps_fences_tables_lists_and_links_whole(seed: int) -> None:
    """Parsed again, a clean merge has no sign that is mere text and no open fence that no side had."""
    for texts in map(drawn, range(seed, seed + 50)):
        merged = merge_texts(*texts).text
        if merged is not None:
            assert torn(*texts, merged) == []


@settings(max_examples=100, deadline=None)
@given(_DRAWN)
def test_merge_by_words_is_the_same_from_both_sides(texts: tuple[str, str, str]) -> None:
    """Whose edit came first changes neither the text nor the number of conflicts."""
    base, yours, current = texts
    result, mirrored = merge_texts(base, yours, current), merge_texts(base, current, yours)
    assert result.text == mirrored.text
    assert len(result.conflicts) == len(mirrored.conflicts)


@settings(max_examples=100, deadline=None)
@given(_DRAWN)
def test_merge_again_changes_nothing(texts: tuple[str, str, str]) -> None:
    """A side merged with the result of its own merge gives that result, blank lines apart, or asks."""
    base, yours, current = texts
    merged = merge_texts(base, yours, current).text
    if merged is not None:
        assert merge_texts(base, merged, merged).text == merged
        for again in (merge_texts(base, yours, merged).text, merge_texts(base, merged, current).text):
            assert again is None or again.split() == merged.split()


@settings(max_examples=150, deadline=None)
@given(_DRAWN)
def test_merge_hunks_rebuild_what_they_were_cut_from(texts: tuple[str, str, str]) -> None:
    """All hunks resolved to the current side are the partial text; each stands in the texts as it says."""
    base, yours, current = texts
    result = merge_texts(base, yours, current)
    assert resolve(result, [conflict.current for conflict in result.conflicts]) == result.partial
    for conflict in result.conflicts:
        assert conflict.base in base
        assert conflict.yours in yours
        assert conflict.current in current


@st.composite
def _at_odds(draw: st.DrawFn) -> tuple[str, str, str]:
    """A text and two edits that change the same lines, each in its own way, and no others."""
    chance = random.Random(draw(st.integers(0, 2**32)))
    base, yours, current = [], [], []
    for number in range(draw(st.integers(1, 12))):
        base.append(f"line {number}")
        yours.append(base[-1])
        current.append(base[-1])
        if chance.random() < 0.4:
            yours[-1:] = [f"mine {number}"] * chance.randint(0, 2)
            current[-1:] = [f"theirs {number}"] * chance.randint(0, 2)
            if yours[-1:] == current[-1:]:
                yours.append(f"mine {number}")
    end = chance.choice(["", "\n"])
    return "\n".join(base) + end, "\n".join(yours) + end, "\n".join(current) + end


@settings(max_examples=200, deadline=None)
@given(_at_odds())
def test_merge_hunks_resolved_to_one_side_are_that_sides_text(texts: tuple[str, str, str]) -> None:
    """Where all that was changed is in conflict, choosing one text in each hunk gives that text."""
    base, yours, current = texts
    result = merge_texts(base, yours, current)
    if not result.conflicts:
        return
    assert resolve(result, [conflict.base for conflict in result.conflicts]) == base
    assert resolve(result, [conflict.yours for conflict in result.conflicts]) == yours
    assert resolve(result, [conflict.current for conflict in result.conflicts]) == current


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**32), st.lists(_ENDS, min_size=1, max_size=6))
def test_merge_keeps_mixed_line_ends(seed: int, ends: list[str]) -> None:
    """Each line ends in the result as in the text that it comes from; none is made the same as the others."""
    chance = random.Random(seed)
    writer = Writer(chance, "w", unique=True)
    lines = [" ".join(writer.words(6)) + ends[number % len(ends)] for number in range(9)]
    yours, current = list(lines), list(lines)
    yours[1] = "mine" + ends[-1]
    current[7] = "theirs" + ends[0]
    merged = merge_texts("".join(lines), "".join(yours), "".join(current))
    wanted = [*lines[:1], yours[1], *lines[2:7], current[7], *lines[8:]]
    assert merged.text in {"".join(wanted), None}
    if set(ends) <= {"\n", "\r\n"}:
        assert merged.text is not None


@pytest.mark.parametrize("end", ["\r\n", "\r", "\u2028", "\n"], ids=repr)
def test_merge_by_words_keeps_line_ends(end: str) -> None:
    """Words of one line are merged, its end stays as it was."""
    base = f"one two three four five six seven eight nine ten{end}more"
    result: MergeResult = merge_texts(base, base.replace("one", "1"), base.replace("nine", "9"))
    assert result.text == base.replace("one", "1").replace("nine", "9")
