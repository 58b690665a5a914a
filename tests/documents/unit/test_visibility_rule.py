"""The rule of who sees what, in its Python form: no database, only maps, reaches and limits."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cloudscribe.lib.actor import Actor, ActorKind, CredentialKind, Limit
from cloudscribe.lib.postgresql.arrays import array_text
from documents.access_map import EMPTY, AccessMap
from documents.policies import Action, abilities_of
from documents.roles import ACTION_BITS, ROLE_BITS, SEE_BIT, Role
from documents.visibility import access_map_for, bits_on

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC).timestamp()
VIEWER, EDITOR = ROLE_BITS[Role.VIEWER], ROLE_BITS[Role.EDITOR]


@dataclasses.dataclass
class Row:
    """Document 3 in document 2 in document 1 of workspace 9, unless told otherwise."""

    id: int = 3
    workspace_id: int = 9
    path: str = "000000000100000000020000000003"
    reach: tuple[int, ...] = (3, 2, 1, -9)


def test_alive_forgets_what_has_run_out_at_its_very_moment() -> None:
    """A grant that expires now no longer counts; a moment before it does."""
    entries = AccessMap({1: [(VIEWER, NOW)]})
    assert entries.alive(NOW) == {}
    assert entries.alive(NOW - 0.001) == {1: VIEWER}


def test_alive_adds_up_what_stands_for_one_target() -> None:
    """A temporary editor who is a standing viewer is both, and a viewer afterwards."""
    entries = AccessMap({1: [(VIEWER, None), (EDITOR, NOW + 60)]})
    assert entries.alive(NOW) == {1: VIEWER | EDITOR}
    assert entries.alive(NOW + 60) == {1: VIEWER}


@pytest.mark.parametrize("expires", [None, NOW + 60])
def test_targets_stand_in_their_order(expires: float | None) -> None:
    """However they were granted: the rule's SQL looks for an id by halves."""
    granted = AccessMap({target: [(VIEWER, expires)] for target in (7, -4, 300, 2, -9, 11)})
    assert granted.targets(NOW, SEE_BIT) == ([-9, -4], [2, 7, 11, 300], "{-9,-4}", "{2,7,11,300}")


@pytest.mark.parametrize("target", [3, 2, 1, -9])
def test_a_grant_reaches_down_from_wherever_it_stands(target: int) -> None:
    """On the document, an ancestor or the workspace."""
    assert bits_on({target: EDITOR}, None, Row()) == EDITOR


def test_a_cut_keeps_out_what_stands_above_it() -> None:
    """Document 2 is cut: its reach and that of all below end there."""
    cut = Row(reach=(3, 2))
    assert bits_on({1: EDITOR, -9: EDITOR}, None, cut) == 0
    assert bits_on({2: VIEWER}, None, cut) == VIEWER


def test_a_workspace_and_a_document_of_one_number_are_two() -> None:
    """Workspaces stand under their negated id."""
    assert bits_on({9: EDITOR, -3: EDITOR}, None, Row()) == 0


@pytest.mark.parametrize(
    ("limit", "within"),
    [
        (Limit(workspace_pk=9), True),
        (Limit(workspace_pk=8), False),
        (Limit(document_pk=3), True),
        (Limit(document_pk=1), True),
        (Limit(document_pk=1, whole_subtree=False), False),
        (Limit(document_pk=3, whole_subtree=False), True),
        (Limit(document_pk=4), False),
        (Limit(document_pk=0x10), False),
        (Limit(workspace_pk=8, document_pk=3), False),
    ],
)
def test_a_limit_narrows_and_never_widens(limit: Limit, within: bool) -> None:
    """A token for a subtree is cut by path, whole labels alone: 0x10 is no ancestor of 1."""
    assert bits_on({-9: VIEWER}, limit, Row()) == (VIEWER if within else 0)
    assert bits_on({}, limit, Row()) == 0


def test_who_is_no_person_has_no_map() -> None:
    """A command acts by its own rules, not by grants."""
    nobody = Actor(
        kind=ActorKind.COMMAND,
        uid=None,
        pk=None,
        name="tests",
        credential_kind=CredentialKind.COMMAND,
        credential_uid=None,
        now=dt.datetime.now(dt.UTC),
    )
    assert access_map_for(nobody) is EMPTY


@given(
    st.dictionaries(st.integers(-9, 9), st.sampled_from([VIEWER, EDITOR]), max_size=6),
    st.lists(st.integers(-9, 9), max_size=6),
)
def test_bits_are_those_of_the_targets_in_reach(rights: dict[int, int], reach: list[int]) -> None:
    """Nothing from outside the reach, nothing of it missing."""
    expected = 0
    for target, bits in rights.items():
        expected |= bits if target in reach else 0
    assert bits_on(rights, None, Row(reach=tuple(reach))) == expected


def test_abilities_tell_of_every_action_by_its_bit() -> None:
    """A viewer of a document sees, exports and copies, and does nothing else to it."""
    held = {name for name, able in abilities_of(VIEWER, document=True).items() if able}
    assert held == {Action.SEE, Action.EXPORT, Action.COPY}
    assert ACTION_BITS[Action.SEE] == SEE_BIT


def test_ids_become_an_array_of_postgresql() -> None:
    """The text form, as the server reads it."""
    assert array_text([]) == "{}"
    assert array_text([-9, 1]) == "{-9,1}"
