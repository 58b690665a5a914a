"""The table of roles, pure."""

from __future__ import annotations

import itertools

import pytest

from documents.roles import (
    ACTION_BITS,
    DOCUMENT_ABILITIES,
    RANK,
    ROLE_ACTIONS,
    ROLE_BITS,
    ROLES,
    WORKSPACE_ABILITIES,
    Action,
    Role,
    role_of,
)


def test_every_action_belongs_to_a_role_and_has_a_bit_of_its_own() -> None:
    """No action is forgotten: the owner of a workspace holds all of them."""
    assert ROLE_ACTIONS[Role.OWNER] == set(Action)
    assert len(set(ACTION_BITS.values())) == len(Action)
    assert all(bits.bit_count() == 1 for bits in ACTION_BITS.values())


def test_each_role_holds_what_the_weaker_one_holds() -> None:
    """Roles are nested, viewer to owner."""
    assert ROLES == (Role.VIEWER, Role.COMMENTER, Role.EDITOR, Role.MANAGER, Role.OWNER)
    for weaker, stronger in itertools.pairwise(ROLES):
        assert ROLE_ACTIONS[weaker] < ROLE_ACTIONS[stronger]
        assert RANK[weaker] < RANK[stronger]


@pytest.mark.parametrize(
    ("action", "least"),
    [
        (Action.SEE, Role.VIEWER),
        (Action.EXPORT, Role.VIEWER),
        (Action.COMMENT, Role.COMMENTER),
        (Action.EDIT, Role.EDITOR),
        (Action.REORDER, Role.EDITOR),
        (Action.RESTORE, Role.EDITOR),
        (Action.PUBLISH, Role.EDITOR),
        (Action.GRANT, Role.MANAGER),
        (Action.MOVE, Role.MANAGER),
        (Action.PURGE, Role.MANAGER),
        (Action.ARCHIVE, Role.MANAGER),
        (Action.CUT, Role.MANAGER),
        (Action.EDIT_POLICIES, Role.OWNER),
        (Action.DELETE_WORKSPACE, Role.OWNER),
        (Action.OVERRIDE, Role.OWNER),
    ],
)
def test_action_begins_with_its_role(action: Action, least: Role) -> None:
    """An action is held from its role upwards and by nobody below."""
    assert {role for role in ROLES if action in ROLE_ACTIONS[role]} == set(ROLES[RANK[least] :])


def test_role_of_bits_is_the_strongest_that_is_whole() -> None:
    """A limit that takes one action away takes the role away."""
    assert [role_of(ROLE_BITS[role]) for role in ROLES] == list(ROLES)
    assert role_of(ROLE_BITS[Role.EDITOR] & ~ACTION_BITS[Action.TRASH]) is Role.COMMENTER
    assert role_of(0) is None


def test_abilities_are_alphabetical() -> None:
    """Answers name the abilities in one order, and those of the other kind not at all."""
    for table in (DOCUMENT_ABILITIES, WORKSPACE_ABILITIES):
        names = [name for name, _ in table]
        assert names == sorted(names)
    assert "delete_workspace" not in dict(DOCUMENT_ABILITIES)
    assert "move" not in dict(WORKSPACE_ABILITIES)
