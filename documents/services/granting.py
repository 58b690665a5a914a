"""Grants as rows: the private half of the grant and member services."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth.models import Permission

from documents.exceptions import GrantExists
from documents.models import (
    Document,
    DocumentGroupPermission,
    DocumentUserPermission,
    Origin,
    Workspace,
    WorkspaceGroupPermission,
    WorkspaceUserPermission,
)
from documents.roles import DOCUMENT_CODENAMES, ROLE_OF_CODENAME, WORKSPACE_CODENAMES, Role


def grant_model(obj: Document | Workspace, *, team: bool) -> type[Any]:
    """The table of grants on such an object, to people or to teams."""
    if isinstance(obj, Document):
        return DocumentGroupPermission if team else DocumentUserPermission
    return WorkspaceGroupPermission if team else WorkspaceUserPermission


def permission_of(obj: Document | Workspace, role: Role) -> Permission:
    """The permission row that says the role; by its codename, since ids differ between databases."""
    codenames = DOCUMENT_CODENAMES if isinstance(obj, Document) else WORKSPACE_CODENAMES
    permissions = Permission.objects.select_related("content_type")
    return permissions.get(codename=codenames[role], content_type__app_label="documents")


def role_of_grant(grant: Any) -> Role:
    """The role that a grant gives."""
    return ROLE_OF_CODENAME[grant.permission.codename]


def grant_insert(
    obj: Document | Workspace,
    *,
    role: Role,
    origin: Origin,
    user_pk: int | None = None,
    group_pk: int | None = None,
    granted_by: int | None = None,
    expires_at: dt.datetime | None = None,
) -> Any:
    """Write a grant, for services that hold the object's row and know that no such grant stands."""
    subject = {"user_id": user_pk} if group_pk is None else {"group_id": group_pk}
    return grant_model(obj, team=group_pk is not None).objects.create(
        **subject,
        content_object=obj,
        permission=permission_of(obj, role),
        origin=origin,
        granted_by_id=granted_by,
        expires_at=expires_at,
    )


def grant_make_room(
    obj: Document | Workspace,
    *,
    origin: Origin,
    now: dt.datetime,
    user_pk: int | None = None,
    group_pk: int | None = None,
) -> None:
    """Remove a grant of that origin that has run out; raises GrantExists where a live one stands."""
    subject = {"user_id": user_pk} if group_pk is None else {"group_id": group_pk}
    standing = grant_model(obj, team=group_pk is not None).objects.filter(
        **subject, content_object=obj, origin=origin
    )
    standing.filter(expires_at__lte=now).delete()
    if standing.exists():
        raise GrantExists
