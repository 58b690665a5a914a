"""News that documents listens to."""

from __future__ import annotations

from typing import Any

from accounts.models import User
from accounts.signals import user_joined
from cloudscribe.lib.actor import Actor
from documents.services.invitations import invitations_convert


def connect() -> None:
    """Listen; called in `ready()`."""
    user_joined.connect(_joined, dispatch_uid="documents.user_joined")


def _joined(sender: type, user: User, actor: Actor, **kwargs: Any) -> None:
    invitations_convert(actor=actor, user=user)
