"""Actors for services that tests call directly."""

from __future__ import annotations

from django.utils import timezone

from accounts.models import User
from cloudscribe.lib.actor import Actor, ActorKind, CredentialKind, command_actor


def command() -> Actor:
    """An operator's command."""
    return command_actor("tests", timezone.now())


def person(user: User) -> Actor:
    """A person whose rights are read straight from the grants."""
    return Actor(
        kind=ActorKind.USER,
        uid=user.uid,
        pk=user.pk,
        name=user.name,
        credential_kind=CredentialKind.SESSION,
        credential_uid=None,
        now=timezone.now(),
    )
