"""What accounts asks about workspaces and documents: the places that a token is cut to."""

from __future__ import annotations

import uuid

from accounts.models import User
from accounts.ports import Place, places
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from documents.models import Workspace
from documents.policies import ACTION_BITS, Action, role_on
from documents.roles import Role
from documents.selectors.editing import document_find, workspace_find
from documents.services.user_grants import user_grants_remove
from documents.visibility import visible_to

# What owners alone may do.
_OWNER_BIT = ACTION_BITS[Action.HAND_OVER]


class DocumentPlaces:
    """Answers under the rights and within the limit of whoever asks."""

    def workspace(self, actor: Actor, uid: uuid.UUID) -> Place:
        """The workspace, if the actor may see it; raises NotFound."""
        row = workspace_find(actor, uid)
        return Place(pk=row.pk, uid=row.uid, name=row.name, workspace_pk=row.pk, workspace_uid=row.uid)

    def document(self, actor: Actor, uid: uuid.UUID) -> Place:
        """The document, if the actor may see it, outside of the trash; raises NotFound."""
        row = document_find(actor, uid)
        if row.is_trashed:
            raise NotFound
        room = row.workspace
        return Place(pk=row.pk, uid=row.uid, name=row.title, workspace_pk=room.pk, workspace_uid=room.uid)

    def may_make_services(self, actor: Actor, workspace: uuid.UUID) -> bool:
        """Whether the actor is an owner of the workspace; raises NotFound for one that they don't see."""
        return role_on(actor, workspace_find(actor, workspace)) is Role.OWNER

    def owned(self, actor: Actor) -> list[int]:
        """The keys of the workspaces that the actor owns."""
        return list(visible_to(Workspace.objects.all(), actor, _OWNER_BIT).values_list("pk", flat=True))

    def forsake(self, actor: Actor, user: User) -> None:
        """Take away all that a user was granted, with an event each; raises LastOwner."""
        user_grants_remove(actor=actor, user=user)


def connect() -> None:
    """Fill the port; called in `ready()`."""
    places.provide(DocumentPlaces())
