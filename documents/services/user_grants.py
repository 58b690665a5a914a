"""What somebody was granted, taken away all at once: the documents' half of deleting an account."""

from __future__ import annotations

from accounts.models import User
from audit.services import events_record
from cloudscribe.lib.actor import Actor
from documents.models import AccessRequest, Document, DocumentUserPermission, WorkspaceUserPermission
from documents.services.granting import removal_entry, role_of_grant
from documents.services.locking import Strength, workspaces_lock
from documents.services.members import owner_check


def user_grants_remove(*, actor: Actor, user: User) -> None:
    """Remove a user's memberships of workspaces and grants on documents, with an event each, and wishes.

    For the service that deletes the account, within its transaction: what is granted meanwhile is granted to
    somebody who can't sign in any more. Raises LastOwner.
    """
    memberships = WorkspaceUserPermission.objects.filter(user=user)
    grants = DocumentUserPermission.objects.filter(user=user)
    workspaces_lock(memberships.values_list("content_object_id", flat=True), Strength.REWRITE, tree=False)
    documents = Document.objects.filter(pk__in=grants.values("content_object_id"))
    list(documents.select_for_update(no_key=True).order_by("pk").values_list("pk", flat=True))
    rooms = list(memberships.select_related("permission", "content_object").order_by("pk"))
    shares = list(grants.select_related("permission", "content_object__workspace").order_by("pk"))
    events_record([removal_entry(actor, row, user) for row in [*rooms, *shares]])
    memberships.filter(pk__in=[row.pk for row in rooms]).delete()
    grants.filter(pk__in=[row.pk for row in shares]).delete()
    AccessRequest.objects.filter(asker=user).delete()
    for row in rooms:
        owner_check(row.content_object, role_of_grant(row))
