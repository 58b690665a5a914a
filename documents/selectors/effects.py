"""Who would gain and who would lose by a change of rights, before it is made.

A change at the root of a subtree makes no difference below it that it doesn't make there: whatever stands
between a node and the root adds to both sides, and what is cut off hears of neither. So the root tells all.
"""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Mapping, Sequence

from cloudscribe.lib.actor import Actor
from documents.models import Document, Workspace
from documents.policies import Action, can
from documents.roles import ROLE_ACTIONS, ROLES, Role
from documents.selectors.access import PersonRank, ranks_by_reach

MOST = 500
Ranks = Mapping[int, PersonRank]


@dataclasses.dataclass(frozen=True, slots=True)
class Effect:
    """A person's or service's role on the document before and after a change, None for no right at all."""

    uid: uuid.UUID
    type: str
    name: str
    before: Role | None
    after: Role | None


@dataclasses.dataclass(frozen=True, slots=True)
class Effects:
    """What a change would give and take; `complete` is False where some of it is not to be told."""

    gains: list[Effect]
    loses: list[Effect]
    complete: bool


def effects_between(actor: Actor, before: Ranks, after: Ranks, *, others: bool = True) -> Effects:
    """The differences by name, so many of each at most; of the actor alone unless `others`."""
    gains: list[Effect] = []
    loses: list[Effect] = []
    for pk in before.keys() | after.keys():
        was, will = before.get(pk), after.get(pk)
        known = was or will
        if known is None or (was and was.rank) == (will and will.rank):
            continue
        effect = Effect(known.uid, known.type, known.name, _role(was), _role(will))
        rises = was is None or (will is not None and will.rank > was.rank)
        if others or pk == actor.pk:
            (gains if rises else loses).append(effect)
    for rows in (gains, loses):
        rows.sort(key=lambda effect: (effect.name, effect.uid))
    complete = others and max(len(gains), len(loses)) <= MOST
    return Effects(gains[:MOST], loses[:MOST], complete)


def move_effects(actor: Actor, document: Document, workspace: Workspace, parent: Document | None) -> Effects:
    """Who gains and loses where the document moves below `parent`, or on top of the workspace.

    Who is there is told to those alone who could ask for it after the move.
    """
    reach = document.reach if document.is_cut else _below(document, workspace, parent)
    return _compared(actor, document, reach)


def cut_effects(actor: Actor, document: Document, *, inherits_access: bool) -> Effects:
    """Who gains and loses where the document inherits access, or doesn't any more.

    Who cuts it stays its manager.
    """
    if inherits_access and not document.is_draft:
        return _compared(actor, document, _below(document, document.workspace, document.parent))
    return _compared(actor, document, [document.pk], stays=Role.MANAGER)


def _below(document: Document, workspace: Workspace, parent: Document | None) -> list[int]:
    return [document.pk, *(parent.reach if parent is not None else [-workspace.pk])]


def _compared(actor: Actor, document: Document, reach: Sequence[int], stays: Role | None = None) -> Effects:
    if list(reach) == document.reach:
        return Effects([], [], complete=True)
    before, after = ranks_by_reach(document.reach, actor.now), ranks_by_reach(reach, actor.now)
    own = before.get(actor.pk) if actor.pk is not None else None
    if stays is not None and own is not None and actor.pk is not None:
        after = {**after, actor.pk: dataclasses.replace(own, rank=ROLES.index(stays))}
    then = after.get(actor.pk) if actor.pk is not None else None
    others = then is not None and Action.GRANT in ROLE_ACTIONS[ROLES[then.rank]]
    return effects_between(actor, before, after, others=others and can(actor, Action.GRANT, document))


def _role(person: PersonRank | None) -> Role | None:
    return None if person is None else ROLES[person.rank]
