"""What makes somebody who has just proven an address a member."""

from __future__ import annotations

import datetime as dt
import uuid

from accounts.actors import proven_actor
from accounts.models import Registration, User
from accounts.roles import role_give
from accounts.signals import user_joined
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor


def member_join(*, user: User, proof: uuid.UUID, now: dt.datetime) -> Actor:
    """Make a new person a `member`, within the caller's transaction; gives them as the actor that they are.

    `proof` is the id of what proved their address. Other wishes to register with it are void.
    """
    role_give(user, "member")
    Registration.objects.filter(email_key=user.email_key).delete()
    actor = proven_actor(user, proof, now)
    event_record(actor=actor, action="user.registered", target=Target.of("user", user, user.name))
    user_joined.send(sender=User, user=user, actor=actor)
    return actor
