"""Who wrote which line: the walk back, in one go or in pieces."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from documents.alignment import changes, line_count, lines_of
from documents.blaming import Blame, Trace

_BODIES = st.lists(
    st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "d"]), max_size=12).map("".join),
    min_size=1,
    max_size=8,
)


def walked(bodies: Sequence[str], number: int, known: Blame | None = None, until: int = 1) -> Blame:
    """The blame of a revision, from the body that `known` came to, down to `until`."""
    oldest = known.oldest if known else number
    trace = Trace(number, bodies[oldest - 1].encode(), known)
    for older in range(oldest - 1, until - 1, -1):
        trace.step(older, bodies[older - 1].encode())
    return trace.result()


def owners(blame: Blame) -> list[int]:
    """The revision of each line."""
    return [blame.revision_of(run) for run in blame.runs for _ in range(run.count)]


def test_blame_names_the_revision_that_brought_each_line() -> None:
    """Kept lines stay with who wrote them, also where others move around them."""
    found = walked(["a\nb\n", "a\nx\nb\n", "new\na\nx\nb\nend"], 3)
    assert owners(found) == [3, 1, 2, 1, 3]
    assert found.is_ended


def test_blame_of_nothing_has_no_lines() -> None:
    """An empty body."""
    assert walked(["a\n", ""], 2).runs == ()


@settings(max_examples=200, deadline=None)
@given(_BODIES, st.data())
def test_blame_stopped_and_resumed_is_the_same(bodies: list[str], data: st.DataObject) -> None:
    """However far it came before."""
    number = len(bodies)
    until = data.draw(st.integers(1, number))
    assert owners(walked(bodies, number, walked(bodies, number, until=until))) == owners(
        walked(bodies, number)
    )


@settings(max_examples=200, deadline=None)
@given(_BODIES, st.data())
def test_blame_of_an_earlier_revision_is_taken_over(bodies: list[str], data: st.DataObject) -> None:
    """Also one that hadn't come to its end; then it is resumed."""
    number = len(bodies)
    earlier = data.draw(st.integers(1, number))
    known = walked(bodies, earlier, until=data.draw(st.integers(1, earlier)))
    trace = Trace(number, bodies[-1].encode())
    for older in range(number - 1, earlier - 1, -1):
        trace.step(older, bodies[older - 1].encode())
    trace.adopt(known)
    assert owners(walked(bodies, number, trace.result())) == owners(walked(bodies, number))


def test_blame_across_a_gap_says_that_it_is_not_sure() -> None:
    """What came between two bodies of which some are missing is that of the newer, or older."""
    trace = Trace(9, b"a\nb\nc\n")
    trace.step(8, b"a\nb\n")
    trace.step(3, b"a\n")
    found = trace.result()
    assert [(found.revision_of(run), found.is_exact(run)) for run in found.runs] == [
        (3, False),
        (8, False),
        (9, True),
    ]


@settings(max_examples=300, deadline=None)
@given(st.text("ab\n\r", max_size=30), st.text("ab\n\r", max_size=30))
def test_changes_make_the_new_text_of_the_old(old: str, new: str) -> None:
    """What lies between changes is equal, in any text."""
    a, b = lines_of(old), lines_of(new)
    made, at = [], 0
    for start, end, other, other_end in changes(old.encode(), new.encode()):
        made += [*a[at:start], *b[other:other_end]]
        at = end
    assert [*made, *a[at:]] == b
    assert line_count(new.encode()) == len(b)
