"""The merge of one text by lines."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents.merge import Conflict, MergeResult, Reason, merge_texts

BASE = "one\n\ntwo\n\nthree\n"


def _with_ends(text: str) -> list[str]:
    lines = [line + "\n" for line in text.split("\n")]
    lines[-1] = lines[-1][:-1]
    return lines


def resolve(result: MergeResult, choices: list[str]) -> str:
    """What a client does: put its choice for each conflict in the place of the current side."""
    lines = _with_ends(result.partial)
    for conflict, choice in reversed(list(zip(result.conflicts, choices, strict=True))):
        assert conflict.merged_line is not None
        assert conflict.lines is not None
        start = conflict.merged_line - 1
        lines[start : start + conflict.lines] = [choice]
    return "".join(lines)


def test_merge_changes_apart_are_both_kept() -> None:
    """Each side changed a line of its own: the result has both."""
    result = merge_texts(BASE, "ONE\n\ntwo\n\nthree\n", "one\n\ntwo\n\nTHREE\n")
    assert result.text == "ONE\n\ntwo\n\nTHREE\n"


def test_merge_changes_of_one_line_conflict() -> None:
    """Both changed the same line: the conflict shows the three of them and where they stand."""
    result = merge_texts(BASE, "one\n\nzwei\n\nthree\n", "new\none\n\ndeux\n\nthree\n")
    assert result.text is None
    assert result.conflicts == (
        Conflict("content", Reason.OVERLAP, "two\n", "zwei\n", "deux\n", line=4, lines=1, merged_line=4),
    )
    assert result.partial == "new\none\n\ndeux\n\nthree\n"


def test_merge_same_change_on_both_sides_is_made_once() -> None:
    """What both sides did alike is no conflict and isn't doubled."""
    result = merge_texts(BASE, "one\n\ntwo!\n\nthree\nend\n", "zero\none\n\ntwo!\n\nthree\n")
    assert result.text == "zero\none\n\ntwo!\n\nthree\nend\n"


def test_merge_touching_changes_conflict() -> None:
    """Changes with no unchanged line between them are one place, which a person has to look at."""
    assert merge_texts("a\nb\nc\n", "A\nb\nc\n", "a\nB\nc\n").text is None


@pytest.mark.parametrize(
    ("base", "yours", "current"),
    [
        ("a\n\nb", "a\n\nb\n\nmine", "a\n\nb\n\ntheirs"),
        ("a\n\nb", "a\n\nmine", "a"),
        ("a\n\nb", "a", "a\n\nb\ntheirs"),
        ("a\nb\n", "a\nb", "a\nb\nc\n"),
        ("", "mine", "theirs\n"),
        ("a", "", "b\n"),
        ("a\r\nb\r\n", "a\r\nB\r\n", "a\r\nß\r\n"),
    ],
)
def test_merge_conflict_at_the_end_can_be_resolved_by_its_hunk_alone(
    base: str, yours: str, current: str
) -> None:
    """Choosing one side in every conflict gives that side's text, whatever its last line ends with."""
    result = merge_texts(base, yours, current)
    assert result.text is None
    assert resolve(result, [conflict.yours for conflict in result.conflicts]) == yours
    assert resolve(result, [conflict.current for conflict in result.conflicts]) == current


def test_merge_line_moved_here_and_deleted_there_conflicts() -> None:
    """A line that one side deleted must not come back because the other side moved it."""
    base = "".join(f"line {n}\n" for n in range(9))
    yours = base.replace("line 1\n", "") + "line 1\n"
    current = base.replace("line 1\n", "")
    result = merge_texts(base, yours, current)
    assert {conflict.reason for conflict in result.conflicts} == {Reason.MOVED}
    assert any("line 1" in conflict.yours for conflict in result.conflicts)


def test_merge_line_moved_to_two_places_conflicts() -> None:
    """A line that both sides moved must not stand at both places."""
    base = "".join(f"line {n}\n" for n in range(9))
    without = base.replace("line 4\n", "")
    result = merge_texts(base, "line 4\n" + without, without + "line 4\n")
    assert {conflict.reason for conflict in result.conflicts} == {Reason.MOVED}


def test_merge_only_line_feeds_end_lines() -> None:
    """Other separators that Unicode knows stay inside their line and come out as they went in."""
    base = "a\u2028b\x0cc\n\nd\x85e\n"
    result = merge_texts(base, base.replace("d", "D"), base.replace("a", "A"))
    assert result.text == "A\u2028b\x0cc\n\nD\x85e\n"


def test_merge_more_conflicts_than_anybody_reads_are_one() -> None:
    """Hundreds of hunks are shown as one that spans them."""
    base = "".join(f"line {n}\n\n" for n in range(500))
    result = merge_texts(base, base.replace("line", "mine"), base.replace("line", "theirs"))
    assert len(result.conflicts) == 1
    assert resolve(result, [result.conflicts[0].yours]) == base.replace("line", "mine")


# Few different lines, so that repeated, moved and deleted ones are common.
_LINES = st.lists(
    st.sampled_from(["", "alpha", "beta", "gamma", "- item", "```", "# head", "| a | b |"]), max_size=14
)


@settings(max_examples=200, deadline=None)
@given(_LINES, _LINES, _LINES)
def test_merge_any_texts_can_be_resolved_to_either_side(
    base: list[str], yours: list[str], current: list[str]
) -> None:
    """Hunks stand where they say, in the current and in the partial text."""
    texts = ["\n".join(lines) for lines in (base, yours, current)]
    result = merge_texts(*texts)
    now, partial = _with_ends(texts[2]), _with_ends(result.partial)
    for conflict in result.conflicts:
        assert conflict.line is not None
        assert conflict.lines is not None
        assert conflict.merged_line is not None
        assert "".join(now[conflict.line - 1 :][: conflict.lines]) == conflict.current
        assert "".join(partial[conflict.merged_line - 1 :][: conflict.lines]) == conflict.current


@st.composite
def _edits(draw: st.DrawFn) -> tuple[list[str], list[str], list[str]]:
    """A text of distinct lines and two edits of it that delete, replace, insert and move lines."""
    base = [f"line {number}" for number in range(draw(st.integers(1, 12)))]
    sides = []
    for side in ("mine", "theirs"):
        lines = list(base)
        for number in range(draw(st.integers(0, 4))):
            place = draw(st.integers(0, len(lines)))
            action = draw(st.sampled_from(["delete", "insert", "move", "replace"]))
            if action == "insert" or place == len(lines):
                lines.insert(place, f"{side} {number}")
            elif action == "replace":
                lines[place] = f"{side} {number}"
            else:
                line = lines.pop(place)
                if action == "move":
                    lines.insert(draw(st.integers(0, len(lines))), line)
        sides.append(lines)
    return base, sides[0], sides[1]


@settings(max_examples=300, deadline=None)
@given(_edits())
def test_merge_clean_result_drops_nothing_and_revives_nothing(
    edits: tuple[list[str], list[str], list[str]],
) -> None:
    """The promise: what either side added is there, what either deleted is not, nothing is doubled."""
    base, yours, current = edits
    result = merge_texts("\n".join(base), "\n".join(yours), "\n".join(current))
    if result.text is None:
        return
    counts = Counter(result.text.split("\n"))
    added = (set(yours) | set(current)) - set(base)
    deleted = {line for line in base if line not in yours or line not in current}
    assert added <= set(counts)
    assert not deleted & set(counts)
    assert all(counts[line] == 1 for line in base if line not in deleted)


@settings(max_examples=120, deadline=None)
@given(_edits())
def test_merge_is_the_same_from_both_sides(edits: tuple[list[str], list[str], list[str]]) -> None:
    """Whose edit came first doesn't change a clean result."""
    base, yours, current = ("\n".join(lines) for lines in edits)
    assert merge_texts(base, yours, current).text == merge_texts(base, current, yours).text


@settings(max_examples=60, deadline=None)
@given(_edits())
def test_merge_with_one_side_unchanged_gives_the_other(edits: tuple[list[str], list[str], list[str]]) -> None:
    """A side that changed nothing has no say."""
    base, yours, _ = ("\n".join(lines) for lines in edits)
    assert merge_texts(base, yours, base).text == yours
    assert merge_texts(base, base, yours).text == yours
