"""What staff do about other people: correct a profile, suspend, let in again, end a session."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Now

from accounts.models import Session, User
from accounts.services.people import PROFILE_FIELDS
from accounts.services.sessions import sessions_end
from audit.diff import model_changes
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import BusinessError, NotFound
from cloudscribe.lib.transactions import transactional


class OwnAccount(BusinessError):
    """Nobody locks themselves out."""

    code = "own_account"
    title = "This is your own account"


class LastAdministrator(BusinessError):
    """Somebody must be left who can let others in again."""

    code = "last_administrator"
    title = "This is the last active administrator"


@transactional
def user_update(*, actor: Actor, user: uuid.UUID, changes: Mapping[str, Any]) -> User:
    """Correct name, locale or time zone of a person; gives the user of after. Raises NotFound."""
    row = _locked(user)
    before = copy.copy(row)
    for field in PROFILE_FIELDS:
        setattr(row, field, changes.get(field, getattr(row, field)))
    changed = model_changes(before, row, PROFILE_FIELDS)
    if changed:
        _save(actor, row, "user.updated", changed)
    return row


@transactional
def user_suspend(*, actor: Actor, user: uuid.UUID, reason: str = "") -> User:
    """Keep a person out, from the next request on: no sign-in, and every session ends.

    Raises NotFound, OwnAccount or LastAdministrator. Suspending twice changes nothing.
    """
    # All administrators, in one order: two who suspend each other must not both find another one active.
    administrators = set(
        User.objects.select_for_update(no_key=True)
        .filter(is_superuser=True, is_active=True)
        .order_by("pk")
        .values_list("uid", flat=True)
    )
    row = _locked(user)
    if row.pk == actor.pk:
        raise OwnAccount
    if administrators == {row.uid}:
        raise LastAdministrator
    if row.is_active:
        row.is_active = False
        sessions_end(actor=actor, user_pk=row.pk, reason="suspended")
        _save(actor, row, "user.suspended", {"is_active": (True, False)}, reason=reason)
    return row


@transactional
def user_unsuspend(*, actor: Actor, user: uuid.UUID, reason: str = "") -> User:
    """Let a suspended person sign in again; sessions of before stay ended. Raises NotFound."""
    row = _locked(user)
    if not row.is_active:
        row.is_active = True
        _save(actor, row, "user.unsuspended", {"is_active": (False, True)}, reason=reason)
    return row


@transactional
def session_end(*, actor: Actor, session: uuid.UUID, reason: str = "ended by staff") -> None:
    """End anybody's session, from the next request on; NotFound for one that isn't there or has ended."""
    row = Session.objects.select_for_update(no_key=True).filter(uid=session, revoked_at=None).first()
    if row is None:
        raise NotFound
    Session.objects.filter(pk=row.pk).update(revoked_at=Now(), revoked_reason=reason[:40])
    event_record(
        actor=actor, action="session.revoked", target=Target("session", row.uid, row.device), reason=reason
    )


def _locked(user: uuid.UUID) -> User:
    row = User.objects.select_for_update(no_key=True).filter(uid=user).first()
    if row is None:
        raise NotFound
    return row


def _save(
    actor: Actor, row: User, action: str, changes: Mapping[str, tuple[Any, Any]], *, reason: str = ""
) -> None:
    row.updated_at = Now()
    row.save(update_fields=[*changes, "updated_at"])
    row.refresh_from_db(fields=["updated_at"])
    event_record(
        actor=actor,
        action=action,
        target=Target.of("user", row, row.name),
        changes=changes,
        reason=reason,
    )
