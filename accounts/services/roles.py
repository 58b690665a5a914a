"""Giving and taking platform roles."""

from __future__ import annotations

import uuid

from accounts.exceptions import RoleExists
from accounts.models import User
from accounts.notifications import ROLE_GIVEN, ROLE_TAKEN
from accounts.powers import administrator_check, administrators_lock, powers_of_role, powers_required
from accounts.roles import ADMINISTRATOR, role_give, role_take, roles_of
from accounts.services.notifications import News, notify
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import Forbidden, NotFound
from cloudscribe.lib.transactions import transactional

_PERMISSION = "accounts.assign_roles"


@transactional
def user_role_give(*, actor: Actor, user: uuid.UUID, role: str) -> User:
    """Give somebody a platform role, which holds on their next request; gives the user.

    Raises NotFound, RoleExists, InvalidInput for no role of ours, and Forbidden for a role with permissions
    that the actor doesn't hold.
    """
    row = _locked(actor, user, role)
    if role in roles_of(row):
        raise RoleExists
    role_give(row, role)
    _event(actor, row, "role.given", (None, role))
    return row


@transactional
def user_role_take(*, actor: Actor, user: uuid.UUID, role: str) -> User:
    """Take a platform role away, which holds on the next request; gives the user.

    Raises NotFound, LastAdministrator, and Forbidden for a role with permissions that the actor doesn't hold.
    """
    row = _locked(actor, user, role)
    if role not in roles_of(row):
        raise NotFound
    if role == ADMINISTRATOR:
        administrator_check(row)
    role_take(row, role)
    _event(actor, row, "role.taken", (role, None))
    return row


def _locked(actor: Actor, user: uuid.UUID, role: str) -> User:
    administrators_lock()
    row = User.objects.select_for_update(no_key=True).filter(uid=user, deleted_at=None).first()
    if row is None:
        raise NotFound
    if not powers_required(actor, _PERMISSION).cover(powers_of_role(role)):
        raise Forbidden(f"The role {role} carries permissions that you don't hold.")
    return row


def _event(actor: Actor, row: User, action: str, change: tuple[str | None, str | None]) -> None:
    event_record(
        actor=actor, action=action, target=Target("user", row.uid, row.name), changes={"role": change}
    )
    taken, given = change
    kind = ROLE_TAKEN if given is None else ROLE_GIVEN
    notify(actor=actor, users=[row.pk], news=News(kind, facts={"role": given or taken}))
