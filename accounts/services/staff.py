"""What staff do about other people: correct a profile, end a session."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Now

from accounts.models import Session, User
from accounts.services.people import PROFILE_FIELDS
from accounts.services.sessions import address_wishes_void
from audit.diff import model_changes
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional


@transactional
def user_update(*, actor: Actor, user: uuid.UUID, changes: Mapping[str, Any]) -> User:
    """Correct name, locale or time zone of a person; gives the user of after. Raises NotFound."""
    row = _locked(user)
    before = copy.copy(row)
    for field in PROFILE_FIELDS:
        setattr(row, field, changes.get(field, getattr(row, field)))
    changed = model_changes(before, row, PROFILE_FIELDS)
    if changed:
        row.updated_at = Now()
        row.save(update_fields=[*changed, "updated_at"])
        row.refresh_from_db(fields=["updated_at"])
        event_record(
            actor=actor, action="user.updated", target=Target.of("user", row, row.name), changes=changed
        )
    return row


@transactional
def session_end(*, actor: Actor, session: uuid.UUID, reason: str = "ended by staff") -> None:
    """End anybody's session, from the next request on; NotFound for one that isn't there or has ended."""
    row = Session.objects.select_for_update(no_key=True).filter(uid=session, revoked_at=None).first()
    if row is None:
        raise NotFound
    Session.objects.filter(pk=row.pk).update(revoked_at=Now(), revoked_reason=reason[:40])
    address_wishes_void(row.user_id)
    event_record(
        actor=actor, action="session.revoked", target=Target("session", row.uid, row.device), reason=reason
    )


def _locked(user: uuid.UUID) -> User:
    row = User.objects.select_for_update(no_key=True).filter(uid=user, deleted_at=None).first()
    if row is None:
        raise NotFound
    return row
