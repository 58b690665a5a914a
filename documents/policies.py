"""What services, serializers, the admin and jobs ask about rights. The table itself is in `roles`."""

from __future__ import annotations

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import Forbidden
from documents.models import Document, Workspace
from documents.roles import (
    ACTION_BITS,
    DOCUMENT_ABILITIES,
    RANK,
    ROLE_ACTIONS,
    WORKSPACE_ABILITIES,
    Action,
    Role,
    role_of,
)
from documents.visibility import actions_of

__all__ = [
    "ACTION_BITS",
    "ROLE_ACTIONS",
    "Action",
    "Role",
    "abilities",
    "abilities_of",
    "can",
    "outranks",
    "require",
    "role_on",
]


def can(actor: Actor, action: Action, obj: Document | Workspace) -> bool:
    """Whether the actor's rights, within the limit of the credential, hold this action on the object."""
    return bool(actions_of(actor, obj) & ACTION_BITS[action])


def require(actor: Actor, action: Action, obj: Document | Workspace) -> None:
    """Raise Forbidden, naming the action, where `can` says no."""
    if not can(actor, action, obj):
        raise Forbidden(
            f"Your role here does not include: {action.replace('_', ' ')}.", extra={"action": action}
        )


def abilities(actor: Actor, obj: Document | Workspace) -> dict[str, bool]:
    """Every action that there is for such an object, and whether the actor has the right to it."""
    return abilities_of(actions_of(actor, obj), document=isinstance(obj, Document))


def abilities_of(bits: int, *, document: bool) -> dict[str, bool]:
    """`abilities` where the action bits are at hand."""
    return {name: bits & bit != 0 for name, bit in (DOCUMENT_ABILITIES if document else WORKSPACE_ABILITIES)}


def role_on(actor: Actor, obj: Document | Workspace) -> Role | None:
    """The actor's strongest role on the object."""
    return role_of(actions_of(actor, obj))


def outranks(own: Role | None, other: Role) -> bool:
    """Whether a role reaches up to the other: nobody gives, changes or removes a grant above the own role."""
    return own is not None and RANK[own] >= RANK[other]
