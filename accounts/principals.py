"""The signed-in user of a request without the User row, which is fetched only where somebody asks for it."""

from __future__ import annotations

import dataclasses
import functools
import uuid
from typing import Any

from django.db import connection

from accounts.models import User

# Permissions are joined by their codename: a permission's id differs between databases and restores.
_PERMISSIONS = """
SELECT DISTINCT t.app_label || '.' || p.codename
FROM accounts_user_groups m
JOIN auth_group_permissions g ON g.group_id = m.group_id
JOIN auth_permission p ON p.id = g.permission_id
JOIN django_content_type t ON t.id = p.content_type_id
WHERE m.user_id = %s
"""
_ROLES = """
SELECT substr(g.name, 6) FROM accounts_user_groups m JOIN auth_group g ON g.id = m.group_id
WHERE m.user_id = %s AND g.name LIKE 'role:%%' ORDER BY 1
"""


@dataclasses.dataclass
class Principal:
    """What `request.user` is under a bearer credential. It is always an active, authenticated user."""

    pk: int
    uid: uuid.UUID
    name: str
    is_staff: bool
    is_superuser: bool

    is_active = True
    is_authenticated = True
    is_anonymous = False

    @property
    def id(self) -> int:
        """The user's key, as Django's User has it."""
        return self.pk

    def __str__(self) -> str:
        return self.name

    @functools.cached_property
    def row(self) -> User:
        """The User row of now."""
        return User.objects.get(pk=self.pk)

    @functools.cached_property
    def permissions(self) -> frozenset[str]:
        """The platform permissions, `app.codename`, that the user's roles give; one query, once a request."""
        return frozenset(_column(_PERMISSIONS, self.pk))

    @functools.cached_property
    def roles(self) -> list[str]:
        """The names of the user's platform roles."""
        return _column(_ROLES, self.pk)

    def has_perm(self, perm: str, obj: Any | None = None) -> bool:
        """Whether the user holds a platform permission or, with an object, that right on it."""
        if obj is not None:
            return self.row.has_perm(perm, obj)
        return self.is_superuser or perm in self.permissions

    def has_perms(self, perms: list[str], obj: Any | None = None) -> bool:
        """Whether the user has all of `perms`."""
        return all(self.has_perm(perm, obj) for perm in perms)


def _column(query: str, key: int) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(query, [key])
        return [row[0] for row in cursor.fetchall()]
