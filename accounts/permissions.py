"""Route permissions that ask how long ago somebody proved who they are."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from django.conf import settings
from rest_framework.request import Request

from accounts.exceptions import ReauthenticationRequired
from cloudscribe.lib.actor import actor_of
from cloudscribe.lib.permissions import Authenticated

if TYPE_CHECKING:
    from rest_framework.views import APIView


class SteppedUp(Authenticated):
    """Who showed a password or another factor lately; for acts that can't be taken back."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        """True within CLOUDSCRIBE_STEP_UP_LIFETIME of the last proof; else ReauthenticationRequired."""
        super().has_permission(request, view)
        actor = actor_of(request)
        since = actor.authenticated_at
        if actor.scopes is None and (
            since is None or actor.now - since > dt.timedelta(seconds=settings.STEP_UP_LIFETIME)
        ):
            raise ReauthenticationRequired
        return True
