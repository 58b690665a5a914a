"""The merge of one paragraph word by word, where both sides changed the same lines."""

from __future__ import annotations

import time

import pytest

from documents.merge import Reason, merge_texts

PARAGRAPH = (
    "The kettle stands on the left of the stove, and the bread lies in\n"
    "the box below the window. Nobody opens the box before the bell has\n"
    "rung, for the bread must rest until it is cold.\n"
)
LINE = PARAGRAPH.replace("\n", " ").strip() + "\n"


def _swap(text: str, *swaps: tuple[str, str]) -> str:
    for old, new in swaps:
        assert text.count(old) == 1
        text = text.replace(old, new)
    return text


@pytest.mark.parametrize("base", [PARAGRAPH, LINE], ids=["wrapped", "one line"])
@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        pytest.param([("kettle", "pot")], [("bell has", "clock has")], id="a word each"),
        pytest.param([("left of", "far left of")], [("it is cold", "cold")], id="one adds, one deletes"),
        pytest.param(
            [("kettle", "pot"), ("rest", "lie")], [("the window", "the door")], id="one around the other"
        ),
        pytest.param([("kettle stands", "**kettle** stands")], [("bread must", "`bread` must")], id="markup"),
        pytest.param([("on the left", "on [the left](x.md)")], [("rung,", "rung[^1],")], id="links"),
        pytest.param(
            [("kettle", "pot"), ("bell", "clock")], [("kettle", "pot"), ("cold", "warm")], id="one alike"
        ),
    ],
)
def test_merge_words_apart_are_both_kept(
    base: str, mine: list[tuple[str, str]], theirs: list[tuple[str, str]]
) -> None:
    """Each changed other words of one paragraph: the result has them all, from either side."""
    yours, current = _swap(base, *mine), _swap(base, *theirs)
    wanted = _swap(base, *dict.fromkeys([*mine, *theirs]))
    assert merge_texts(base, yours, current).text == wanted
    assert merge_texts(base, current, yours).text == wanted


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        pytest.param([("opens", "closes")], [("opens", "moves")], id="the same word"),
        pytest.param([("opens", "never opens")], [("opens the", "opens a")], id="the next word"),
        pytest.param([("box before", "chest before")], [("Nobody", "Anybody")], id="close by"),
        pytest.param([("below", "well below")], [("below", "not below")], id="both insert at one place"),
        pytest.param(
            [
                (
                    " Nobody opens the box before the bell has\nrung, for the bread must rest until it is",
                    "",
                )
            ],
            [("bell", "clock")],
            id="one deletes the sentence in which the other changed a word",
        ),
        pytest.param(
            [
                (", and the bread lies in\nthe box below the window", ""),
                ("it is cold", "it is cold, in the box"),
            ],
            [("box below", "chest below")],
            id="one moves the words that the other changed",
        ),
        pytest.param(
            [("on the left", "**on the left"), ("the bell", "the** bell")],
            [("Nobody", "**Nobody"), ("it is cold", "it is** cold")],
            id="emphasis that crosses the other's",
        ),
    ],
)
def test_merge_words_that_touch_conflict(mine: list[tuple[str, str]], theirs: list[tuple[str, str]]) -> None:
    """Where it is not sure what both meant a person chooses, and sees whole lines."""
    result = merge_texts(PARAGRAPH, _swap(PARAGRAPH, *mine), _swap(PARAGRAPH, *theirs))
    assert result.text is None
    assert {conflict.reason for conflict in result.conflicts} <= {Reason.OVERLAP, Reason.MOVED}
    assert all(conflict.base.endswith("\n") for conflict in result.conflicts)


def test_merge_words_of_a_side_that_wrote_anew_conflict() -> None:
    """What a rewritten paragraph still shares with the old one is chance."""
    anew = "A pot hangs over the fire. Whoever bakes keeps the loaf in a cloth until it is cold.\n"
    result = merge_texts(LINE, anew, LINE.replace("it is cold", "it has cooled"))
    assert [conflict.reason for conflict in result.conflicts] == [Reason.OVERLAP]


def test_merge_words_repeated_count_wherever_they_could_stand() -> None:
    """A word more here and one less there of a long repetition are not two places."""
    base = "la la la la la la la la la la la la\n"
    assert merge_texts(base, "la " + base, base.replace("la ", "", 1)).text is None


@pytest.mark.parametrize(
    "line",
    [
        "`one two three four five six seven eight nine ten`\n",
        "[text](https://example.org/one/two/three/four/five/six/seven/eight/nine/ten)\n",
        "<!-- one two three four five six seven eight nine ten -->text\n",
    ],
    ids=["code", "address", "comment"],
)
def test_merge_words_inside_one_token_conflict(line: str) -> None:
    """Inline code, an address and a comment are one thing, whatever stands between the changes."""
    assert merge_texts(line, line.replace("one", "1"), line.replace("ten", "10")).text is None


@pytest.mark.parametrize(
    "text",
    [
        "```\none two three four five six seven eight nine ten\n```\n",
        "    one two three four five six seven eight nine ten\n",
        "---\ntitle: one two three four five six seven eight nine ten\n---\n",
        "<div>\none two three four five six seven eight nine ten\n</div>\n",
    ],
    ids=["fence", "indented", "front matter", "html"],
)
def test_merge_words_of_what_is_no_prose_conflict(text: str) -> None:
    """In code and data a line is the smallest thing that makes sense."""
    assert merge_texts(text, text.replace("one", "1"), text.replace("ten", "10")).text is None


def test_merge_words_of_a_wrapped_paragraph_that_one_side_wrapped_anew() -> None:
    """New ends of lines are no change of words."""
    yours = LINE.replace("kettle", "pot")
    current = PARAGRAPH.replace("bell", "clock")
    assert merge_texts(PARAGRAPH, yours, current).text == yours.replace("bell", "clock")


@pytest.mark.parametrize(
    ("base", "old", "new", "before", "after"),
    [
        ("我们在文档中写字并且合并两个人的修改结果。\n", "我们", "他们", "结果", "成果"),
        ("เราเขียนเอกสารด้วยกันและรวมการแก้ไขของทุกคน\n", "เรา", "เขา", "ทุกคน", "ทุกท่าน"),
    ],
    ids=["Chinese", "Thai"],
)
def test_merge_words_without_spaces(base: str, old: str, new: str, before: str, after: str) -> None:
    """Scripts without spaces are merged character by character."""
    merged = merge_texts(base, base.replace(old, new), base.replace(before, after))
    assert merged.text == base.replace(old, new).replace(before, after)


def test_merge_words_in_two_cells_of_a_row() -> None:
    """A row keeps its cells."""
    row = "| the first cell says this | and the second cell says that | 3 |\n"
    base = "| a | b | c |\n| - | - | - |\n" + row
    merged = merge_texts(base, base.replace("first", "1st"), base.replace("that", "more"))
    assert merged.text == base.replace("first", "1st").replace("that", "more")


def test_merge_words_leave_the_other_conflicts() -> None:
    """Where one paragraph merges by words and another doesn't, the person is asked about that one alone."""
    base = LINE + "\n" + "short line\n"
    yours = base.replace("kettle", "pot").replace("short line", "my line")
    current = base.replace("bell", "clock").replace("short line", "their line")
    result = merge_texts(base, yours, current)
    assert [(conflict.yours, conflict.current) for conflict in result.conflicts] == [
        ("my line\n", "their line\n")
    ]
    assert "pot stands" in result.partial
    assert "clock has" in result.partial


@pytest.mark.parametrize(
    ("base", "yours", "current"),
    [
        pytest.param(
            "see [it][a] now\n\nmore\n\n[a]: x.md\n",
            "see it now\n\nmore\n",
            "see [it][a] now\n\nmore [of it][a]\n\n[a]: x.md\n",
            id="a link whose address the other took out",
        ),
        pytest.param(
            "one\n\ntwo\n\nthree\n",
            "one[^1]\n\n[^1]: mine\n\ntwo\n\nthree\n",
            "one\n\ntwo\n\nthree[^1]\n\n[^1]: theirs\n",
            id="two footnotes of one name",
        ),
        pytest.param(
            "one\nline\n\ntwo\nlines\n",
            "one[^1]\nline\n[^1]: mine\n\ntwo\nlines\n",
            "one\nline\n\ntwo[^1]\nlines\n[^1]: theirs\n",
            id="two footnotes right below sentences",
        ),
        *(
            pytest.param(
                f"{above}{definition}\n\none [a]\n\nmore\n",
                f"{above}\none\n\nmore\n",
                f"{above}{definition}\n\none [a]\n\nmore [a]\n",
                id=f"what was defined {name}",
            )
            for name, above, definition in (
                ("with spaces", "", "[a]: <x y.md>"),
                ("with a title", "", "[a]: <x y.md> 'a title'"),
                ("on the next line", "", "[a]:\n  x.md"),
                ("below a line", "up\n\n***\n", "[a]: x.md"),
                ("below an underlined heading", "up\n--\n", "[a]: x.md"),
            )
        ),
    ],
)
def test_merge_that_breaks_a_label_conflicts(base: str, yours: str, current: str) -> None:
    """Links and footnotes still find what they name."""
    result = merge_texts(base, yours, current)
    assert result.text is None
    assert {conflict.reason for conflict in result.conflicts} <= {Reason.STRUCTURE, Reason.OVERLAP}


def test_merge_paragraph_that_both_put_in_is_not_doubled() -> None:
    """However the blank lines around it are taken, one paragraph doesn't stand there twice."""
    base = "one\n\ntwo\n\nthree\n"
    yours = "one\n\nnew words\n\ntwo\n\nthree\n"
    current = "one\n\nnew words\n\ntwo\n\nthree, changed\n"
    assert merge_texts(base, yours, current).text == current
    moved = merge_texts(base, yours, "one\n\ntwo\n\nnew words\n\nthree\n")
    assert {conflict.reason for conflict in moved.conflicts} == {Reason.MOVED}


@pytest.mark.parametrize(
    "unit", ["<!--", "a+", "`a", "](a ", "[^a", "_a_ ", "la ", "我", "https://a", "**a"], ids=repr
)
def test_merge_words_of_hostile_lines_ends_soon(unit: str) -> None:
    """A paragraph of one sign over and over costs no more than another."""
    base = unit * (19_000 // len(unit)) + "\n"
    started = time.process_time()
    merge_texts(base, "mine " + base, base[:-1] + " theirs\n")
    assert time.process_time() - started < 2


def test_merge_words_deleted_by_both_and_written_anew_beside_conflict() -> None:
    """What both took out may be chance: nothing is merged next to it, or a deleted line could come back."""
    assert merge_texts("line 0\nline 1", "line 0", "line 1\ntheirs 1\ntheirs 0").text is None
