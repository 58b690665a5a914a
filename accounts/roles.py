"""Platform roles: Django groups named `role:<name>` with the permissions that this table gives them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import F, Value
from django.db.models.functions import Concat

from accounts.models import RolePolicy, User
from cloudscribe.lib.errors import InvalidInput
from cloudscribe.lib.postgresql.compiled import CompiledQuery

ADMINISTRATOR = "administrator"
INSPECTOR = "inspector"
ROLES = (ADMINISTRATOR, "auditor", "guest", INSPECTOR, "member", "operator")
PREFIX = "role:"
_APPS = ("accounts", "audit", "auth", "documents", "jobs", "security")

# Rights on one object, which only grants give.
_NEVER = re.compile(r"documents\.(read|comment|edit|manage|own)_(document|workspace)")
_GIVES = {
    # To open what nobody shared with them is an office of its own, which no other one brings along.
    ADMINISTRATOR: re.compile(r"(?!documents\.break_glass$).*"),
    INSPECTOR: re.compile(r"documents\.break_glass"),
    "operator": re.compile(r"jobs\..*|security\..*"),
    "auditor": re.compile(r"audit\.view_.*|audit\.export_.*"),
    "member": re.compile(r"documents\.add_workspace|accounts\.add_team"),
    "guest": None,
}

_GROUPS = CompiledQuery(
    lambda user: (
        Group.objects.filter(user=user, name__startswith=PREFIX)
        .order_by("name")
        .values_list("name", flat=True)
    ),
    user=int,
)


def roles_setup() -> None:
    """Make every role's group and give it just what the table says; a second run changes nothing."""
    groups = {role: Group.objects.get_or_create(name=PREFIX + role)[0] for role in ROLES}
    for group in groups.values():
        RolePolicy.objects.get_or_create(group=group)
    named = list(
        Permission.objects.filter(content_type__app_label__in=_APPS)
        .annotate(label=Concat(F("content_type__app_label"), Value("."), F("codename")))
        .values_list("pk", "label")
    )
    for role, group in groups.items():
        _give(group, {pk for pk, label in named if _gives(role, label)})


def _gives(role: str, permission: str) -> bool:
    pattern = _GIVES[role]
    return bool(pattern and pattern.fullmatch(permission)) and not _NEVER.fullmatch(permission)


@transaction.atomic
def _give(group: Group, wanted: Iterable[int]) -> None:
    if set(group.permissions.values_list("pk", flat=True)) != set(wanted):
        group.permissions.set(wanted)


def role_give(user: User, role: str) -> None:
    """Put a user into a role's group, in the caller's transaction; InvalidInput for no role of ours."""
    if role not in ROLES:
        raise InvalidInput.field("/role", "unknown_role", "There is no such role.")
    group, _ = Group.objects.get_or_create(name=PREFIX + role)
    user.groups.add(group)


def role_take(user: User, role: str) -> None:
    """Take a user out of a role's group, in the caller's transaction."""
    user.groups.remove(*user.groups.filter(name=PREFIX + role))


def roles_of(user: User) -> list[str]:
    """The names of the user's platform roles, in alphabetical order."""
    return [name.removeprefix(PREFIX) for name in _GROUPS.rows(user=user.pk)]
