"""What somebody was granted, taken away all at once: the documents' half of deleting an account."""

from __future__ import annotations

from accounts.models import User
from audit.services import Entry, Target, events_record
from cloudscribe.lib.actor import Actor
from documents.models import Document, DocumentUserPermission, Workspace, WorkspaceUserPermission
from documents.services.granting import role_of_grant
from documents.services.locking import Strength, workspaces_lock
from documents.services.members import owner_check


def user_grants_remove(*, actor: Actor, user: User) -> None:
    """Remove a user's memberships of workspaces and grants on documents, with an event each.

    For the service that deletes the account, within its transaction: what is granted meanwhile is granted to
    somebody who can't sign in any more. Raises LastOwner, WorkspaceBusy.
    """
    memberships = WorkspaceUserPermission.objects.filter(user=user)
    grants = DocumentUserPermission.objects.filter(user=user)
    workspaces_lock(memberships.values_list("content_object_id", flat=True), Strength.REWRITE)
    documents = Document.objects.filter(pk__in=grants.values("content_object_id"))
    list(documents.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    rooms = list(memberships.select_related("permission", "content_object").order_by("pk"))
    shares = list(grants.select_related("permission", "content_object__workspace").order_by("pk"))
    events_record(
        [
            *(_entry(actor, user, row, "member.removed") for row in rooms),
            *(_entry(actor, user, row, "grant.removed") for row in shares),
        ]
    )
    memberships.filter(pk__in=[row.pk for row in rooms]).delete()
    grants.filter(pk__in=[row.pk for row in shares]).delete()
    for row in rooms:
        owner_check(row.content_object, role_of_grant(row))


def _entry(
    actor: Actor, user: User, row: WorkspaceUserPermission | DocumentUserPermission, action: str
) -> Entry:
    place = row.content_object
    room = place if isinstance(place, Workspace) else place.workspace
    return Entry(
        actor,
        action,
        Target("member", row.uid, user.name) if room is place else Target("grant", row.uid, str(place)),
        workspace_uid=room.uid,
        changes={"role": (str(role_of_grant(row)), None)},
        facts={"root": str(place.uid), "subjects": [str(user.uid)]},
    )
