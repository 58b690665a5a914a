"""Roles as sets of actions, in one table. Pure: no query, no request.

What somebody may do is the OR of all grants that reach an object, so actions are bits. Stored limits of jobs
and tokens keep them: a new action takes the next bit, an old one never changes its own.
"""

from __future__ import annotations

import enum
from functools import reduce
from operator import or_


class Action(enum.StrEnum):
    """What can be done to a document or a workspace."""

    ANSWER_REQUESTS = "answer_requests"
    ARCHIVE = "archive"
    BREAK_LOCK = "break_lock"
    CHANGE_OWNER = "change_owner"
    COMMENT = "comment"
    CONFIGURE = "configure"
    COPY = "copy"
    CREATE = "create"
    CUT = "cut"
    DELETE_WORKSPACE = "delete_workspace"
    EDIT = "edit"
    EDIT_POLICIES = "edit_policies"
    EXPORT = "export"
    GRANT = "grant"
    HAND_OVER = "hand_over"
    LINK = "link"
    LOCK = "lock"
    MOVE = "move"
    OVERRIDE = "override"
    PUBLISH = "publish"
    PURGE = "purge"
    READ_EVENTS = "read_events"
    READ_USAGE = "read_usage"
    REORDER = "reorder"
    RESTORE = "restore"
    SEE = "see"
    SNAPSHOT = "snapshot"
    TAG = "tag"
    TRASH = "trash"
    UNPUBLISH = "unpublish"
    WEBHOOK = "webhook"


class Role(enum.StrEnum):
    """The five roles; `owner` is a workspace's alone."""

    COMMENTER = "commenter"
    EDITOR = "editor"
    MANAGER = "manager"
    OWNER = "owner"
    VIEWER = "viewer"


_ADDS: dict[Role, tuple[Action, ...]] = {
    Role.VIEWER: (Action.SEE, Action.EXPORT, Action.COPY),
    Role.COMMENTER: (Action.COMMENT,),
    Role.EDITOR: (
        Action.EDIT,
        Action.CREATE,
        Action.REORDER,
        Action.TRASH,
        Action.RESTORE,
        Action.LOCK,
        Action.PUBLISH,
    ),
    Role.MANAGER: (
        Action.GRANT,
        Action.ANSWER_REQUESTS,
        Action.MOVE,
        Action.LINK,
        Action.PURGE,
        Action.UNPUBLISH,
        Action.ARCHIVE,
        Action.BREAK_LOCK,
        Action.CUT,
        Action.CHANGE_OWNER,
        Action.WEBHOOK,
        Action.TAG,
        Action.SNAPSHOT,
        Action.READ_USAGE,
        Action.READ_EVENTS,
        Action.CONFIGURE,
    ),
    Role.OWNER: (Action.EDIT_POLICIES, Action.DELETE_WORKSPACE, Action.HAND_OVER, Action.OVERRIDE),
}

# From weak to strong; each role can do what the ones before it can.
ROLES: tuple[Role, ...] = tuple(_ADDS)
RANK: dict[Role, int] = {role: rank for rank, role in enumerate(ROLES)}

# Bits in the order in which the table names the actions.
ACTION_BITS: dict[Action, int] = {
    action: 1 << bit for bit, action in enumerate(action for role in ROLES for action in _ADDS[role])
}
SEE_BIT = ACTION_BITS[Action.SEE]

ROLE_ACTIONS: dict[Role, frozenset[Action]] = {
    role: frozenset(action for lower in ROLES[: rank + 1] for action in _ADDS[lower])
    for role, rank in RANK.items()
}
ROLE_BITS: dict[Role, int] = {
    role: reduce(or_, (ACTION_BITS[action] for action in actions)) for role, actions in ROLE_ACTIONS.items()
}

# Who comes by a share link sees, comments and edits what is written, and does nothing else of the table.
_BY_LINK = (Action.SEE, Action.COMMENT, Action.EDIT)
LINK_BITS: dict[Role, int] = {
    role: reduce(or_, (ACTION_BITS[action] for action in _BY_LINK if action in ROLE_ACTIONS[role]))
    for role in (Role.VIEWER, Role.COMMENTER, Role.EDITOR)
}

# What the four grant tables call the roles: the permission's codename.
WORKSPACE_CODENAMES: dict[Role, str] = {
    Role.VIEWER: "read_workspace",
    Role.COMMENTER: "comment_workspace",
    Role.EDITOR: "edit_workspace",
    Role.MANAGER: "manage_workspace",
    Role.OWNER: "own_workspace",
}
DOCUMENT_CODENAMES: dict[Role, str] = {
    Role.VIEWER: "read_document",
    Role.COMMENTER: "comment_document",
    Role.EDITOR: "edit_document",
    Role.MANAGER: "manage_document",
}
ROLE_OF_CODENAME: dict[str, Role] = {
    codename: role for table in (WORKSPACE_CODENAMES, DOCUMENT_CODENAMES) for role, codename in table.items()
}

WORKSPACE_ONLY = frozenset(
    {
        Action.CONFIGURE,
        Action.DELETE_WORKSPACE,
        Action.EDIT_POLICIES,
        Action.HAND_OVER,
        Action.READ_EVENTS,
        Action.READ_USAGE,
        Action.WEBHOOK,
    }
)
DOCUMENT_ONLY = frozenset(
    {
        Action.ARCHIVE,
        Action.BREAK_LOCK,
        Action.CHANGE_OWNER,
        Action.COPY,
        Action.CUT,
        Action.LINK,
        Action.LOCK,
        Action.MOVE,
        Action.OVERRIDE,
        Action.PUBLISH,
        Action.UNPUBLISH,
    }
)
# Alphabetised pairs of name and bit, for the answers' `abilities`.
DOCUMENT_ABILITIES = [(str(action), ACTION_BITS[action]) for action in Action if action not in WORKSPACE_ONLY]
WORKSPACE_ABILITIES = [(str(action), ACTION_BITS[action]) for action in Action if action not in DOCUMENT_ONLY]


def role_of(actions: int) -> Role | None:
    """The strongest role whose actions are all among these bits, None where not even the viewer's are."""
    return next((role for role in reversed(ROLES) if ROLE_BITS[role] & ~actions == 0), None)
