"""Closing an account, by its person."""

from __future__ import annotations

from django.db.models.functions import Now

from accounts.actors import person_pk
from accounts.models import User
from accounts.ports import handover
from accounts.powers import administrator_check, administrators_lock
from accounts.services.sessions import sessions_end
from accounts.services.tokens import tokens_end
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional

_DEACTIVATED = "deactivated"


@transactional
def user_deactivate(*, actor: Actor) -> None:
    """Close the actor's own account: nobody signs in as them from the next request on.

    All stays as it is but sessions and tokens, which end; staff can let the person in again. Raises LastOwner
    that names the workspaces, LastAdministrator.
    """
    pk = person_pk(actor)
    # Before all other locks, as whoever else changes who is there does; workspaces come before users.
    administrators_lock()
    user = User.objects.get(pk=pk)
    handover.ask.owners_check(actor, user)
    user = User.objects.select_for_update(no_key=True).get(pk=pk)
    administrator_check(user)
    sessions_end(actor=actor, user_pk=pk, reason=_DEACTIVATED)
    tokens_end(actor=actor, user_pk=pk, reason=_DEACTIVATED)
    user.is_active, user.deactivated_at, user.updated_at = False, actor.now, Now()
    user.save(update_fields=["is_active", "deactivated_at", "updated_at"])
    event_record(
        actor=actor,
        action="user.deactivated",
        target=Target.of("user", user, user.name),
        changes={"is_active": (True, False)},
    )
