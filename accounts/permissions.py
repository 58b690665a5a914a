"""Route permissions that ask how long ago somebody proved who they are."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request

from accounts.exceptions import ReauthenticationRequired
from accounts.factors import session_proves_enough
from cloudscribe.lib.actor import Actor, actor_of
from cloudscribe.lib.permissions import Authenticated

if TYPE_CHECKING:
    from rest_framework.views import APIView


class SteppedUp(Authenticated):
    """Who lately proved who they are, by a second factor where they have one; for acts of consequence.

    A token that has the route's scope needs no more: it was cut to size by somebody who was asked.
    """

    def has_permission(self, request: Request, view: APIView) -> bool:
        """True within CLOUDSCRIBE_STEP_UP_LIFETIME of the last proof; else ReauthenticationRequired."""
        super().has_permission(request, view)
        actor = actor_of(request)
        if actor.scopes is None:
            step_up_check(actor)
        return True


def step_up_check(actor: Actor) -> None:
    """Raise ReauthenticationRequired unless the actor's session proved lately, and enough, who they are."""
    if not (_lately(actor) and session_proves_enough(actor.credential_uid)):
        raise ReauthenticationRequired


def _lately(actor: Actor) -> bool:
    since, lifetime = actor.authenticated_at, dt.timedelta(seconds=settings.STEP_UP_LIFETIME)
    return since is not None and actor.now - since <= lifetime
