"""What restoring a moment means for a tree, by keys."""

from __future__ import annotations

from documents.restoring import Node, Placed, Plan, plan_of, topmost


def node(pk: int, path: str, *, position: str = "a", trashed: bool = False) -> Node:
    """A document whose path is written in letters: its parent's, and its own last."""
    parents = [ord(letter) - 96 for letter in path]
    return Node(pk, parents[-2] if len(parents) > 1 else None, path, position, trashed)


def plan(stood: dict[int, int | None], part: list[int], now: list[Node]) -> Plan:
    """The plan for `part`, of what stood below which parent, where these stand now."""
    nodes = {found.pk: found for found in now}
    tops = topmost([nodes[pk] for pk in part])
    below = [
        found for found in now if not found.trashed and any(found.path.startswith(top.path) for top in tops)
    ]
    places = {pk: Placed(parent, "a") for pk, parent in stood.items()}
    return plan_of(part, places, {pk: nodes[pk] for pk in part}, below)


A, B, C, D = 1, 2, 3, 4


def test_nothing_changed() -> None:
    """Then nothing is done."""
    found = plan({A: None, B: A}, [A, B], [node(A, "a"), node(B, "ab")])
    assert (found.moved, found.later, found.rewritten()) == (frozenset(), {}, [])


def test_what_left_goes_back() -> None:
    """B stood below A and stands on top now."""
    found = plan({A: None, B: A}, [A, B], [node(A, "a"), node(B, "b")])
    assert (found.moved, found.tops, found.rewritten()) == ({B}, {A}, [A])


def test_what_came_from_elsewhere_goes_back_there() -> None:
    """C stood on top and was moved below A."""
    found = plan({A: None, B: A, C: None}, [A, B], [node(A, "a"), node(B, "ab"), node(C, "ac")])
    assert (found.moved, found.later, found.rewritten()) == ({C}, {}, [C])


def test_what_came_later_goes_to_the_trash_by_trees() -> None:
    """D and all below it as one; what stood goes out of it first."""
    now = [node(A, "a"), node(D, "ad"), node(C, "adc"), node(B, "adb")]
    found = plan({A: None, B: A}, [A, B], now)
    assert (found.moved, found.later) == ({B}, {D: D, C: D})


def test_parent_that_hangs_below_its_child() -> None:
    """A > B was turned round: both stand as they did, with one top."""
    found = plan({A: None, B: A}, [B], [node(B, "b"), node(A, "ba")])
    assert (found.moved, found.tops, found.top_of(B), found.rewritten()) == ({A, B}, {A}, A, [A])


def test_other_position_is_a_move() -> None:
    """Among its siblings, too."""
    found = plan({A: None}, [A], [node(A, "a", position="b")])
    assert found.moved == {A}


def test_carried_is_what_moves_and_what_is_below_it() -> None:
    """B goes back below A and takes C along; D stays."""
    stood: dict[int, int | None] = {A: None, B: A, C: B, D: A}
    found = plan(stood, [A, B, C, D], [node(A, "a"), node(B, "b"), node(C, "bc"), node(D, "ad")])
    assert found.carried() == {B, C}
