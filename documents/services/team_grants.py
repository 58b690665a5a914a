"""What teams were granted, taken away all at once: the documents' half of deleting a team."""

from __future__ import annotations

from django.contrib.auth.models import Group
from django.db import transaction

from accounts.models import Team
from audit.services import events_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import ServiceUnavailable
from documents.models import Document, DocumentGroupPermission, WorkspaceGroupPermission
from documents.services.granting import removal_entry, role_of_grant
from documents.services.locking import Strength, workspaces_lock
from documents.services.members import owner_check

_TRIES = 3


def team_grants_remove(*, actor: Actor, team: Team) -> None:
    """Remove the team's memberships of workspaces and its grants on documents, with an event each.

    For the service that deletes the team, within its transaction; the team stays locked. Raises LastOwner,
    and ServiceUnavailable where others keep granting the team something meanwhile.
    """
    _lock(team)
    memberships = list(
        WorkspaceGroupPermission.objects.filter(group=team.group_id)
        .select_related("permission", "content_object")
        .order_by("pk")
    )
    grants = list(
        DocumentGroupPermission.objects.filter(group=team.group_id)
        .select_related("permission", "content_object__workspace")
        .order_by("pk")
    )
    events_record([removal_entry(actor, row, team) for row in [*memberships, *grants]])
    WorkspaceGroupPermission.objects.filter(group=team.group_id).delete()
    DocumentGroupPermission.objects.filter(group=team.group_id).delete()
    for row in memberships:
        owner_check(row.content_object, role_of_grant(row))


def _lock(team: Team) -> None:
    """Lock in the one order: workspaces, documents, the team and its group.

    Until the group is locked somebody may grant it more, in a place that isn't locked; then all over again,
    for the locks that came last would have to come first.
    """
    for _ in range(_TRIES):
        savepoint = transaction.savepoint()
        workspaces, documents = _places(team)
        workspaces_lock(workspaces, Strength.REWRITE, tree=False)
        rows = Document.objects.select_for_update(no_key=True).filter(pk__in=documents).order_by("pk")
        list(rows.values_list("pk", flat=True))
        list(Team.objects.select_for_update().filter(pk=team.pk).values_list("pk", flat=True))
        list(Group.objects.select_for_update().filter(pk=team.group_id).values_list("pk", flat=True))
        workspaces_now, documents_now = _places(team)
        if workspaces_now <= workspaces and documents_now <= documents:
            transaction.savepoint_commit(savepoint)
            return
        transaction.savepoint_rollback(savepoint)
    raise ServiceUnavailable


def _places(team: Team) -> tuple[set[int], set[int]]:
    workspaces = WorkspaceGroupPermission.objects.filter(group=team.group_id)
    documents = DocumentGroupPermission.objects.filter(group=team.group_id)
    return (
        set(workspaces.values_list("content_object_id", flat=True)),
        set(documents.values_list("content_object_id", flat=True)),
    )
