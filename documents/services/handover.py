"""What somebody answers for when they go: the documents' half of closing and of deleting an account."""

from __future__ import annotations

from django.db.models import Exists, OuterRef, QuerySet

from accounts.models import User
from documents.exceptions import LastOwner
from documents.models import Workspace, WorkspaceUserPermission
from documents.roles import WORKSPACE_CODENAMES, Role
from documents.services.locking import Strength, workspaces_lock

# As many as an answer names; there may be more.
_NAMED = 20


def owners_check(*, user: User) -> None:
    """Raise LastOwner that names the workspaces of which the user is the last active owner.

    They stay locked until the end of the transaction. Raises WorkspaceBusy.
    """
    owned = owner_grants().filter(user=user)
    workspaces_lock(owned.values_list("content_object_id", flat=True), Strength.REWRITE)
    lonely = list(lonely_workspaces(user))
    if lonely:
        raise last_owner(lonely)


def owner_grants() -> QuerySet[WorkspaceUserPermission]:
    """Everybody's grants of ownership, those that expire among them."""
    return WorkspaceUserPermission.objects.filter(permission__codename=WORKSPACE_CODENAMES[Role.OWNER])


def lasting_owners() -> QuerySet[WorkspaceUserPermission]:
    """The grants that count for the last owner: to active people, without an end."""
    return owner_grants().filter(expires_at__isnull=True, user__is_active=True)


def lonely_workspaces(user: User) -> QuerySet[Workspace]:
    """The workspaces that the user owns and nobody else who counts; under their locks."""
    mine = owner_grants().filter(user=user).values("content_object_id")
    others = lasting_owners().filter(content_object=OuterRef("pk")).exclude(user=user)
    return Workspace.objects.filter(pk__in=mine).exclude(Exists(others)).order_by("pk")


def last_owner(workspaces: list[Workspace]) -> LastOwner:
    """The refusal that names them."""
    named = [{"id": str(row.uid), "name": row.name} for row in workspaces[:_NAMED]]
    return LastOwner(extra={"workspaces": named})
