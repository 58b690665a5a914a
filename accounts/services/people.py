"""Users as staff and operators make them, and what people change about themselves."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Now

from accounts.actors import person_held
from accounts.models import User
from accounts.passwords import password_check, password_hash
from accounts.roles import ADMINISTRATOR, role_give, roles_of
from audit.diff import model_changes
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.emails import canonical_email
from cloudscribe.lib.errors import InvalidInput
from cloudscribe.lib.transactions import transactional

PROFILE_FIELDS = ("name", "locale", "timezone")


def admin_create(*, actor: Actor, email: str, password: str | None, name: str = "") -> tuple[User, bool]:
    """Make a verified superuser in the role `administrator`, or raise an existing user to one.

    Gives the user and whether they are new. A password is needed for a new one; an existing one keeps theirs
    unless one is given. Raises InvalidInput for a bad password.
    """
    shown_name = name or email.partition("@")[0]
    if password is not None:
        password_check(password, user=User(email=email, name=shown_name))
    encoded = password_hash(password) if password is not None else None
    return _admin_write(actor=actor, email=email.strip(), encoded=encoded, name=shown_name)


@transactional
def _admin_write(*, actor: Actor, email: str, encoded: str | None, name: str) -> tuple[User, bool]:
    key = canonical_email(email)
    user = User.objects.select_for_update().filter(email_key=key).first()
    created = user is None
    if user is None:
        if encoded is None:
            raise InvalidInput.field("/password", "required", "A new administrator needs a password.")
        user = User(email=email, email_key=key, name=name)
    before = None if created else copy.copy(user)
    held = [] if created else roles_of(user)
    user.is_active = user.is_staff = user.is_superuser = True
    user.suspended_at, user.suspended_reason, user.deactivated_at = None, "", None
    user.password = encoded or user.password
    user.email_verified_at = user.email_verified_at or actor.now
    user.save()
    role_give(user, ADMINISTRATOR)
    changes = model_changes(before, user, ("is_active", "is_staff", "is_superuser"))
    if ADMINISTRATOR not in held:
        changes["role"] = (None, ADMINISTRATOR)
    if created or changes or encoded:
        event_record(
            actor=actor,
            action="user.created" if created else "user.updated",
            target=Target.of("user", user, user.name),
            changes=changes,
        )
    return user, created


@transactional
def profile_update(*, actor: Actor, changes: Mapping[str, Any]) -> User:
    """Change the actor's own name, locale or time zone; gives the user of after."""
    user = person_held(actor)
    before = copy.copy(user)
    for field in PROFILE_FIELDS:
        setattr(user, field, changes.get(field, getattr(user, field)))
    changed = model_changes(before, user, PROFILE_FIELDS)
    if changed:
        user.updated_at = Now()
        user.save(update_fields=[*changed, "updated_at"])
        user.refresh_from_db(fields=["updated_at"])
        event_record(
            actor=actor, action="user.updated", target=Target.of("user", user, user.name), changes=changed
        )
    return user
