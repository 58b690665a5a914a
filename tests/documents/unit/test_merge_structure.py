"""Merges by lines that would break the Markdown are conflicts."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents.merge import Reason, merge_texts

PROSE = "intro\n\nfirst\n\nsecond\n\nthird\n\nfourth\n\nend\n"
FENCED = "intro\n\n```text\ncode one\n\ncode two\n\ncode three\n```\n\nbetween\n\n```\nmore\n```\n\nend\n"
TABLE = "intro\n\n| a | b |\n| - | - |\n| 1 | 2 |\n| 3 | 4 |\n| 5 | 6 |\n\nend\n"
NOTES = "see[^1][^2]\n\n[^1]: one\n\n[^2]: two\n\nend\n"
LIST = "- one\n\n  under one\n\n  still one\n\n- two\n\nend\n"
MATTER = "---\ntitle: T\n---\n\nfirst\n\nsecond\n"


@pytest.mark.parametrize(
    ("base", "yours", "current"),
    [
        pytest.param(
            FENCED,
            FENCED.replace("code three\n```\n", "code three\n"),
            FENCED.replace("between\n\n", "between\n\nadded prose\n\n"),
            id="a fence left open",
        ),
        pytest.param(
            PROSE,
            PROSE.replace("first", "```\nfirst").replace("second\n", "second\n```\n"),
            PROSE.replace("first", "```\nfirst").replace("fourth\n", "fourth\n```\n"),
            id="a fence opened by both and closed twice",
        ),
        pytest.param(
            PROSE,
            PROSE.replace("first", "```\nfirst").replace("third\n", "third\n```\n"),
            PROSE.replace("second", "second\n\n- written as a list"),
            id="a fence drawn around",
        ),
        pytest.param(
            TABLE,
            TABLE.replace("| a | b |\n| - | - |", "| a | b | c |\n| - | - | - |"),
            TABLE.replace("| 3 | 4 |\n", "| 3 | 4 |\n| 7 | 8 |\n"),
            id="a table of another width",
        ),
        pytest.param(
            TABLE,
            TABLE.replace("| - | - |\n", ""),
            TABLE.replace("| 3 | 4 |\n", "| 3 | 4 |\n| 7 | 8 |\n"),
            id="a row of no table",
        ),
        pytest.param(
            LIST,
            LIST.replace("- one", "10. one"),
            LIST.replace("  still one\n", "  still one\n\n  added below one\n"),
            id="a list torn from its indent",
        ),
        pytest.param(
            NOTES,
            NOTES.replace("[^2]\n", "\n").replace("[^2]: two\n", ""),
            NOTES.replace("two\n", "two\n\n    more on two\n"),
            id="what belongs to a footnote in another one",
        ),
        pytest.param(
            "see[^1]\n\nmore\n\n[^1]: one\n\nend\n",
            "see\n\nmore\n\n\nend\n",
            "see[^1]\n\nmore\n\n[^1]: one\n\n    more on one\n\nend\n",
            id="what belongs to a footnote as code",
        ),
    ],
)
def test_merge_that_breaks_the_structure_conflicts(base: str, yours: str, current: str) -> None:
    """The lines would merge, the document would not: a person decides, and sees both sides' hunks."""
    result = merge_texts(base, yours, current)
    assert result.text is None
    assert {conflict.reason for conflict in result.conflicts} == {Reason.STRUCTURE}


@pytest.mark.parametrize(
    ("base", "yours", "current"),
    [
        pytest.param(
            FENCED,
            FENCED.replace("code one", "code 1"),
            FENCED.replace("code three", "code 3"),
            id="inside one fence",
        ),
        pytest.param(
            TABLE,
            TABLE.replace("| 1 | 2 |", "| 1 | two |"),
            TABLE.replace("| 5 | 6 |", "| 5 | 6 |\n| 7 | 8 |"),
            id="two rows of one table",
        ),
        pytest.param(
            LIST,
            LIST.replace("under one", "below one"),
            LIST.replace("- two", "- two\n- three"),
            id="two items of one list",
        ),
        pytest.param(
            "```\nnever closed\n\nfirst\n\nsecond\n",
            "```\nnever closed\n\nfirst!\n\nsecond\n",
            "```\nnever closed\n\nfirst\n\nsecond!\n",
            id="a fence that was open before",
        ),
        pytest.param(
            "# A\n\nx\n\n# B\n\ny\n",
            "# A\n\nx\n\n```\nz\n```\n\n# B\n\ny\n",
            "# A\n\nx\n\n# B\n\ny\n\n> quoted\n",
            id="in two sections",
        ),
        pytest.param(
            MATTER, MATTER.replace("T", "U"), MATTER.replace("second", "2nd"), id="front matter and text"
        ),
        pytest.param(
            MATTER,
            "---\nlanguage: de\n---\n\n" + MATTER,
            MATTER.replace("second", "2nd"),
            id="front matter that its writer doubled",
        ),
    ],
)
def test_merge_that_keeps_the_structure_is_clean(base: str, yours: str, current: str) -> None:
    """The check doesn't cry wolf."""
    assert merge_texts(base, yours, current).text is not None


def test_merge_two_front_matters_conflict() -> None:
    """Both sides put front matter on top: that is one place."""
    base = "first\n\nsecond\n"
    assert merge_texts(base, "---\na: 1\n---\n\n" + base, "---\nb: 2\n---\n" + base).text is None


@pytest.mark.parametrize("between", ["\n", "\n\n", "\n\n# Head\n\n"])
def test_merge_large_texts_are_checked_where_they_changed(between: str) -> None:
    """A megabyte of prose, in one paragraph or many, with an edit at either end."""
    base = between.join(f"sentence {number} of many" for number in range(40_000))
    yours = base.replace("sentence 10 ", "mine ")
    current = base.replace("sentence 39990 ", "theirs ")
    assert merge_texts(base, yours, current).text == yours.replace("sentence 39990 ", "theirs ")


def test_merge_too_large_to_check_conflicts() -> None:
    """What can't be checked within the budget is not merged blindly."""
    base = "\n".join(f"- item {number}" for number in range(20_000))
    result = merge_texts(base, base.replace("item 10\n", "mine\n"), base.replace("item 19990\n", "theirs\n"))
    assert {conflict.reason for conflict in result.conflicts} == {Reason.TOO_LARGE}


@st.composite
def _fenced(draw: st.DrawFn) -> tuple[list[str], list[str], list[str]]:
    """A text and two edits of it, each of which draws fences around lines, takes some away or adds text."""
    base = [f"line {number // 2}" if number % 2 else "" for number in range(draw(st.integers(2, 16)))]
    texts = [base]
    for side in ("base", "mine", "theirs"):
        lines = list(texts[0])
        for number in range(draw(st.integers(0, 3))):
            first, last = sorted(draw(st.tuples(st.integers(0, len(lines)), st.integers(0, len(lines)))))
            if draw(st.booleans()):
                lines[first:last] = ["```", *lines[first:last], "```"]
            else:
                lines[first : min(last, first + 2)] = ["", f"{side} {number}", ""]
        texts = [lines] if side == "base" else [*texts, lines]
    return texts[0], texts[1], texts[2]


@settings(max_examples=300, deadline=None)
@given(_fenced())
def test_merge_of_balanced_fences_is_balanced(texts: tuple[list[str], list[str], list[str]]) -> None:
    """Where all three texts close what they open, a clean result does."""
    result = merge_texts(*("\n".join(lines) for lines in texts)).text
    balanced = [lines.count("```") % 2 == 0 for lines in texts]
    assert result is None or not all(balanced) or result.split("\n").count("```") % 2 == 0
