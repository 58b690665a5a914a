"""Differences between two bodies."""

from __future__ import annotations

import difflib
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from documents.diffs import hunks, line_hunks, unified, word_hunks

OLD = "".join(f"line {number}\n" for number in range(1, 21))
NEW = OLD.replace("line 3\n", "line three\n").replace("line 18\n", "").replace("line 20\n", "line 20\nend")


def test_unified_is_what_patch_reads() -> None:
    """Names, ranges, context and the mark of a missing line end."""
    assert unified(OLD, NEW, "revision 1", "revision 2") == (
        "--- revision 1\n+++ revision 2\n"
        "@@ -1,6 +1,6 @@\n line 1\n line 2\n-line 3\n+line three\n line 4\n line 5\n line 6\n"
        "@@ -15,6 +15,6 @@\n line 15\n line 16\n line 17\n-line 18\n line 19\n line 20\n+end\n"
        "\\ No newline at end of file\n"
    )


def test_unified_of_equal_texts_is_empty() -> None:
    """No change, no header."""
    assert unified(OLD, OLD, "a", "b") == ""


def test_line_hunks_name_places_and_fates() -> None:
    """A hunk as JSON."""
    assert line_hunks("a\nb\n", "a\nc\n") == [
        {
            "old_start": 1,
            "old_lines": 2,
            "new_start": 1,
            "new_lines": 2,
            "lines": [
                {"op": "equal", "text": "a\n"},
                {"op": "delete", "text": "b\n"},
                {"op": "insert", "text": "c\n"},
            ],
        }
    ]


def test_word_hunks_compare_inside_lines() -> None:
    """Only the word that changed is marked."""
    [hunk] = word_hunks("the quick fox\n", "the slow fox\n")
    assert hunk["words"] == [
        {"op": "equal", "text": "the "},
        {"op": "delete", "text": "quick"},
        {"op": "insert", "text": "slow"},
        {"op": "equal", "text": " fox\n"},
    ]


_TEXT = st.lists(st.sampled_from(["a\n", "b\n", "\n", "c d\n", "e"]), max_size=20).map("".join)


@settings(max_examples=300, deadline=None)
@given(_TEXT, _TEXT)
def test_hunks_hold_both_texts(old: str, new: str) -> None:
    """Deleted and equal runs are the old lines of the hunk, inserted and equal ones the new."""
    for hunk, words in zip(hunks(old, new), word_hunks(old, new), strict=True):
        for start, count, text, dropped in (
            (hunk.old_start, hunk.old_lines, old, "insert"),
            (hunk.new_start, hunk.new_lines, new, "delete"),
        ):
            lines = text.splitlines(keepends=True)
            wanted = lines[start - 1 : start - 1 + count] if count else []
            assert [line for run in hunk.runs if run.op != dropped for line in run.items] == wanted
            assert "".join(word["text"] for word in words["words"] if word["op"] != dropped) == "".join(
                wanted
            )


@pytest.mark.skipif(shutil.which("patch") is None, reason="GNU patch is not installed")
@settings(max_examples=25, deadline=None)
@given(_TEXT, _TEXT)
def test_unified_is_applied_by_patch(tmp_path_factory: pytest.TempPathFactory, old: str, new: str) -> None:
    """An outside judge: patch makes the new text of the old one."""
    difference = unified(old, new, "old", "new")
    if not difference:
        return
    target = Path(tmp_path_factory.mktemp("patch")) / "text"
    target.write_bytes(old.encode())
    done = subprocess.run(
        ["patch", "--quiet", str(target)], input=difference.encode(), capture_output=True, check=False
    )
    assert done.returncode == 0, done
    assert (target.read_bytes().decode() if target.exists() else "") == new


def test_diff_of_large_bodies_ends_soon() -> None:
    """Nothing in common, everything repeated: seconds at most."""
    started = time.process_time()
    for old, new in (("a\nb\n" * 250_000, "b\na\na\n" * 150_000), ("x " * 500_000, "y " * 500_000)):
        word_hunks(old, new)
        unified(old, new, "a", "b")
    assert time.process_time() - started < 12


def test_unified_agrees_with_the_standard_library() -> None:
    """On an ordinary edit the two say the same."""
    expected = "".join(difflib.unified_diff(OLD.splitlines(True), NEW[:-3].splitlines(True), "a", "b"))
    assert unified(OLD, NEW[:-3], "a", "b").splitlines()[2:] == expected.splitlines()[2:]
