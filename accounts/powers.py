"""What somebody's platform roles give, and whether it reaches as far as somebody else's."""

from __future__ import annotations

import dataclasses

from django.contrib.auth.models import Group, Permission
from django.db.models import F, Value
from django.db.models.functions import Concat

from accounts.exceptions import LastAdministrator
from accounts.models import User
from accounts.principals import Principal
from accounts.roles import ADMINISTRATOR, PREFIX
from cloudscribe.lib.actor import Actor, ActorKind
from cloudscribe.lib.errors import Forbidden
from cloudscribe.lib.postgresql.compiled import CompiledQuery

_ACTIVE = CompiledQuery(lambda pk: User.objects.filter(pk=pk, is_active=True), pk=int)


@dataclasses.dataclass(frozen=True, slots=True)
class Powers:
    """Platform permissions as `app.codename`; who is `unlimited` (a superuser, a command) has them all."""

    permissions: frozenset[str]
    unlimited: bool = False

    def hold(self, permission: str) -> bool:
        """Whether they include the permission."""
        return self.unlimited or permission in self.permissions

    def cover(self, others: Powers) -> bool:
        """Whether they include everything that `others` do."""
        return self.unlimited or (not others.unlimited and others.permissions <= self.permissions)


def powers_of(user: User) -> Powers:
    """What the user's roles give as of now, whether they may sign in or not."""
    principal = Principal(user.pk, user.uid, user.name, user.is_staff, user.is_superuser)
    return Powers(principal.permissions, user.is_superuser)


def powers_of_role(role: str) -> Powers:
    """What the role of that name gives."""
    label = Concat(F("content_type__app_label"), Value("."), F("codename"))
    rows = Permission.objects.filter(group__name=PREFIX + role).annotate(label=label)
    return Powers(frozenset(rows.values_list("label", flat=True)))


def powers_now(actor: Actor) -> Powers:
    """The actor's powers as they are inside this transaction; none for who may not sign in any more.

    An operator's command without a person may everything.
    """
    if actor.pk is None:
        return Powers(frozenset(), unlimited=actor.kind is ActorKind.COMMAND)
    user = _ACTIVE.first(pk=actor.pk)
    return powers_of(user) if user else Powers(frozenset())


def powers_required(actor: Actor, permission: str) -> Powers:
    """`powers_now` of an actor who still holds `permission`; else raises Forbidden."""
    powers = powers_now(actor)
    if not powers.hold(permission):
        raise Forbidden(f"This needs the permission {permission}.", extra={"permission": permission})
    return powers


def administrators_lock() -> None:
    """Let one at a time change who is an administrator.

    Two who suspend or demote each other at once would both find the other one active.
    """
    # FOR NO KEY UPDATE: giving a role refers to this row and is not to wait.
    Group.objects.select_for_update(no_key=True).get(name=PREFIX + ADMINISTRATOR)


def administrator_check(user: User) -> None:
    """Raise LastAdministrator where without the user no active administrator would be left.

    For services that hold `administrators_lock`.
    """
    holders = User.objects.filter(groups__name=PREFIX + ADMINISTRATOR, is_active=True, kind=User.Kind.PERSON)
    is_one = user.is_superuser or holders.filter(pk=user.pk).exists()
    if user.is_active and is_one and not holders.exclude(pk=user.pk).exists():
        raise LastAdministrator
