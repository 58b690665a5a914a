"""Where a quoted passage stands, and where it goes when the text changes."""

from __future__ import annotations

import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from documents.anchors import AnchorState, Move, Passage, Place, passage_find

TEXT = """# Tea

Alice likes tea. Bob likes coffee in the morning.

Carol drinks neither, and nobody minds.

## Cakes

There is a cake on the table.
"""
QUOTE = "Bob likes coffee"

# Lines of words that all differ, so that there is one way alone to see what was changed.
_words = st.integers(0, 10**6).map(lambda number: f"w{number}")
_lines = st.lists(_words, min_size=1, max_size=8, unique=True).map(" ".join)
_texts = st.lists(_lines, min_size=1, max_size=12, unique=True)


def anchored(text: str, quote: str, prefix: str = "", suffix: str = "") -> tuple[Passage, Place]:
    """The passage and its place, which must be there."""
    found = passage_find(text, Passage(quote, prefix, suffix))
    assert found is not None
    return found.passage, found.place


def moved(old: str, new: str, quote: str = QUOTE, **around: str) -> tuple[AnchorState, str]:
    """What becomes of a passage when the text changes, and what stands there."""
    passage, place = anchored(old, quote, **around)
    after = Move(old, new).place(passage, place)
    return after.state, new[after.start : after.end]


# --- quoting ---------------------------------------------------------------------------------------------
def test_find_keeps_the_true_surroundings() -> None:
    """What the client says of the surroundings chooses; what stands there is kept."""
    passage, place = anchored(TEXT, "likes", prefix="Bob ", suffix="something else")
    assert (passage.prefix[-10:], passage.suffix[:7]) == (" tea. Bob ", " coffee")
    assert TEXT[place.start : place.end] == "likes"


def test_find_takes_the_first_of_equal_ones_and_counts_all() -> None:
    """Without surroundings the first, with them the one that they fit best."""
    first = passage_find(TEXT, Passage("likes"))
    second = passage_find(TEXT, Passage("likes", suffix=" coff"))
    assert first is not None
    assert second is not None
    assert (first.place.start, first.occurrences) == (TEXT.index("likes"), 2)
    assert (second.place.start, second.occurrences) == (TEXT.rindex("likes"), 2)


def test_find_counts_code_points() -> None:
    """An emoji is one."""
    _, place = anchored("😀😀 hello", "hello")
    assert (place.start, place.end) == (3, 8)


def test_find_nothing() -> None:
    """What doesn't stand there isn't found, nor in other letters."""
    assert passage_find(TEXT, Passage("bob likes coffee")) is None


# --- moving ----------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("# Tea", "# Tea and more\n\nA paragraph.\n\nAnother one."),
        ("Alice likes tea. ", "Alice likes tea and nothing else. "),
        ("Alice likes tea. ", ""),
        ("Bob likes", "Well, Bob likes"),
        (" in the morning.", " after noon."),
        (" in the morning.", ", he says."),
        ("There is a cake on the table.\n", ""),
        ("Carol drinks neither, and nobody minds.", "Carol\ndrinks\nneither."),
    ],
)
def test_move_what_changes_around_it_leaves_it(before: str, after: str) -> None:
    """Text that comes, goes or changes before and behind a passage moves it and nothing else."""
    assert moved(TEXT, TEXT.replace(before, after)) == (AnchorState.ANCHORED, QUOTE)


@pytest.mark.parametrize(
    ("new", "now"),
    [
        ("Bob likes strong coffee", "Bob likes strong coffee"),
        ("Bob likes tea", "Bob likes tea"),
        ("Robert likes coffee", "Robert likes coffee"),
        ("Bob coffee", "Bob coffee"),
        ("Bob likes\ncoffee", "Bob likes\ncoffee"),
        ("Then likes coffee", "Then likes coffee"),
    ],
)
def test_move_what_changes_inside_of_it_changes_it(new: str, now: str) -> None:
    """A passage that was edited in part is still there, and says how it reads now."""
    assert moved(TEXT, TEXT.replace(QUOTE, new)) == (AnchorState.CHANGED, now)


def test_move_changed_and_back() -> None:
    """Once it reads as it was quoted, it is that again."""
    passage, place = anchored(TEXT, QUOTE)
    other = TEXT.replace(QUOTE, "Bob likes tea")
    changed = Move(TEXT, other).place(passage, place)
    assert Move(other, TEXT).place(passage, changed) == place


def test_move_a_word_spelled_otherwise() -> None:
    """Where the one word of a passage was corrected it is a change, not an end."""
    old, new = "The colour is red.\n", "The color is red.\n"
    assert moved(old, new, "colour") == (AnchorState.CHANGED, "color")


def test_move_in_scripts_without_spaces() -> None:
    """They go by the letter."""
    old, new = "鲍勃喜欢喝咖啡,爱丽丝喜欢茶。\n", "鲍勃很喜欢喝咖啡,爱丽丝喜欢茶。\n"
    assert moved(old, new, "喜欢喝咖啡") == (AnchorState.ANCHORED, "喜欢喝咖啡")
    assert moved(old, new, "鲍勃喜欢喝咖啡") == (AnchorState.CHANGED, "鲍勃很喜欢喝咖啡")


@pytest.mark.parametrize(
    "new",
    [
        TEXT.replace("Alice likes tea. Bob likes coffee in the morning.\n\n", ""),
        TEXT.replace(QUOTE, ""),
        TEXT.replace("Bob likes coffee in the morning.", "It rains."),
        "",
        "Something else altogether.\n",
    ],
)
def test_move_deleted_is_gone(new: str) -> None:
    """Of a passage that was deleted nothing stands anywhere."""
    state, now = moved(TEXT, new)
    assert (state, now) == (AnchorState.GONE, "")


def test_move_restored_is_found_again() -> None:
    """A passage that was gone and is brought back has its place again."""
    passage, place = anchored(TEXT, QUOTE)
    without = TEXT.replace("Alice likes tea. Bob likes coffee in the morning.\n\n", "")
    gone = Move(TEXT, without).place(passage, place)
    assert gone.state is AnchorState.GONE
    again = without.replace("Carol", "Dave and Carol")
    still = Move(without, again).place(passage, gone)
    assert Move(again, TEXT).place(passage, still) == place


@pytest.mark.parametrize("quote", [QUOTE, "Alice likes tea. Bob", "minds.\n\n## Cakes"])
def test_move_elsewhere_is_followed(quote: str) -> None:
    """A part that is put elsewhere takes its threads along, as far as it stays whole."""
    parts = TEXT.split("\n\n")
    new = "\n\n".join([parts[3], parts[4].strip(), parts[0], parts[2], parts[1], ""])
    state, now = moved(TEXT, new, quote)
    assert (state, now) in {(AnchorState.ANCHORED, quote), (AnchorState.GONE, "")}
    assert state is AnchorState.ANCHORED or "##" in quote


def test_move_not_to_an_equal_passage_that_was_there_before() -> None:
    """Another passage that reads the same is another passage."""
    old = "See the long note below.\n\nText.\n\nSee the long note below.\n"
    assert moved(old, "Text.\n\nSee the long note below.\n", "See the long note below.") == (
        AnchorState.GONE,
        "",
    )


def test_move_a_short_passage_not_to_just_any_place() -> None:
    """A word that is gone is not found again in whatever else was written."""
    assert moved(TEXT, TEXT.replace("Bob ", "").replace("on the table", "for Bob"), "Bob") == (
        AnchorState.GONE,
        "",
    )


def test_move_copied_stays_where_it_is() -> None:
    """A copy of a passage is none of it."""
    passage, place = anchored(TEXT, QUOTE)
    assert Move(TEXT, TEXT + TEXT).place(passage, place) == place


def test_move_keeps_to_the_quote_where_that_stands_whole() -> None:
    """An equal full stop further behind is none of it."""
    old = "See `a`. It is `b`.\n"
    new = "See `a`. Call it with any instance. What else is `c` or `d`. It is `b`.\n"
    assert moved(old, new, "See `a`.") == (AnchorState.ANCHORED, "See `a`.")


def test_move_leaves_spaces_at_the_ends_out() -> None:
    """Where the first words went the passage doesn't begin with the space behind them."""
    old, new = "For example, they're immutable by default.\n", "They are immutable by default.\n"
    assert moved(old, new, "they're immutable by default") == (
        AnchorState.CHANGED,
        "immutable by default",
    )


# --- whatever the texts are ------------------------------------------------------------------------------
@given(_texts, st.data())
def test_move_edits_elsewhere_leave_it_as_it_is(lines: list[str], data: st.DataObject) -> None:
    """Lines that are put in, taken out or rewritten around a line change nothing about what hangs on it."""
    kept = data.draw(st.integers(0, len(lines) - 1))
    # Without surroundings a quote names its first place: where a line before it begins with it, that one.
    assume("\n".join(lines).count(lines[kept]) == 1)
    new: list[str] = []
    for number, line in enumerate(lines):
        if data.draw(st.booleans()):
            new.append(f"x{number} x{number + 1000}")
        if number == kept or data.draw(st.booleans()):
            new.append(line)
    old_text, new_text = "\n".join(lines), "\n".join(new)
    assert moved(old_text, new_text, lines[kept]) == (AnchorState.ANCHORED, lines[kept])


@given(st.text("ab c\n.", max_size=60), st.text("ab c\n.", max_size=60), st.data())
def test_move_is_always_within_the_text_and_true(old: str, new: str, data: st.DataObject) -> None:
    """However the text changes, the place lies in it, and its state says what stands there."""
    if not old.strip():
        return
    start = data.draw(st.integers(0, len(old) - 1))
    end = data.draw(st.integers(start + 1, len(old)))
    quote = old[start:end]
    passage = Passage(quote, old[max(0, start - 64) : start], old[end : end + 64])
    after = Move(old, new).place(passage, Place(AnchorState.ANCHORED, start, end))
    assert 0 <= after.start <= after.end <= len(new)
    now = new[after.start : after.end]
    assert (after.state is AnchorState.GONE) == (now == "")
    assert (after.state is AnchorState.ANCHORED) == (now == quote)
    again = Move(new, new).place(passage, after)
    assert again == after


@given(_texts, st.data())
def test_move_deleted_and_restored_is_where_it_was(lines: list[str], data: st.DataObject) -> None:
    """Whatever lines went, once the text is back a passage that tells itself apart has its place again."""
    kept = data.draw(st.integers(0, len(lines) - 1))
    old = "\n".join(lines)
    new = "\n".join(line for line in lines if data.draw(st.booleans()))
    passage, place = anchored(old, lines[kept])
    gone = Move(old, new).place(passage, place)
    back = Move(new, old).place(passage, gone)
    assert back == place or (len(lines[kept]) < 12 and back.state is AnchorState.GONE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("a " * 500_000, "b " * 500_000),
        ("word " * 200_000, "word " * 199_999 + "other "),
        ("a\n" * 500_000, "a\n" * 300_000 + "b\n" * 200_000),
        ("\n".join(map(str, range(150_000))), "\n".join(map(str, reversed(range(150_000))))),
        ("x" * 1_000_000, "x" * 999_999 + "y"),
        ("a b\n" * 100_000, "b a\n" * 100_000),
    ],
)
def test_move_of_many_in_hostile_texts_is_bounded(old: str, new: str) -> None:
    """A thousand passages in a body of a megabyte move in a few seconds of work, whatever it is made of."""
    places = range(0, len(old) - 20, len(old) // 1_000)
    began = time.process_time()
    move = Move(old, new)
    for start in places:
        quote = old[start : start + 15]
        passage = Passage(quote, old[max(0, start - 64) : start], old[start + 15 : start + 79])
        move.place(passage, Place(AnchorState.ANCHORED, start, start + 15))
    assert time.process_time() - began < 6
