"""Keeping people out, and letting them in again."""

from __future__ import annotations

import uuid

from django.db.models.functions import Now

from accounts.exceptions import OwnAccount
from accounts.models import User
from accounts.notifications import ACCOUNT_SUSPENDED
from accounts.powers import administrator_check, administrators_lock, powers_of, powers_required
from accounts.services.notifications import News, notify
from accounts.services.sessions import sessions_end
from audit.services import Changes, Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import Forbidden, NotFound
from cloudscribe.lib.transactions import transactional

_PERMISSION = "accounts.suspend_user"


@transactional
def user_suspend(*, actor: Actor, user: uuid.UUID, reason: str = "") -> User:
    """Keep a person or a service out, from the next request on; gives the user of after.

    Every session ends, and tokens don't sign in while the suspension lasts. Suspending twice changes nothing.
    Raises NotFound, OwnAccount, LastAdministrator, and Forbidden for somebody who holds more than the actor.
    """
    row = _locked(actor, user)
    if row.pk == actor.pk:
        raise OwnAccount
    administrator_check(row)
    _rank_check(actor, row)
    if not row.is_active and row.suspended_at is not None:
        return row
    was_active, row.is_active = row.is_active, False
    row.suspended_at, row.suspended_reason = actor.now, reason
    sessions_end(actor=actor, user_pk=row.pk, reason="suspended")
    _save(actor, row, "user.suspended", {"is_active": (was_active, False)}, reason)
    notify(actor=actor, users=[row.pk], news=News(ACCOUNT_SUSPENDED))
    return row


@transactional
def user_unsuspend(*, actor: Actor, user: uuid.UUID, reason: str = "") -> User:
    """Let somebody sign in again, whom others kept out or who closed the account; gives the user of after.

    Sessions of before stay ended, and so do tokens that ended with the account.

    Raises NotFound, and Forbidden for somebody who holds more than the actor.
    """
    row = _locked(actor, user)
    _rank_check(actor, row)
    if row.is_active:
        return row
    row.is_active, row.suspended_at, row.suspended_reason = True, None, ""
    row.deactivated_at = None
    _save(actor, row, "user.unsuspended", {"is_active": (False, True)}, reason)
    return row


def _locked(actor: Actor, user: uuid.UUID) -> User:
    administrators_lock()
    row = User.objects.select_for_update(no_key=True).filter(uid=user, deleted_at=None).first()
    if row is None:
        raise NotFound
    return row


def _rank_check(actor: Actor, row: User) -> None:
    if not powers_required(actor, _PERMISSION).cover(powers_of(row)):
        raise Forbidden("This person holds permissions that you don't.")


def _save(actor: Actor, row: User, action: str, changes: Changes, reason: str) -> None:
    row.updated_at = Now()
    row.save(update_fields=["is_active", "suspended_at", "suspended_reason", "deactivated_at", "updated_at"])
    row.refresh_from_db(fields=["updated_at"])
    event_record(
        actor=actor,
        action=action,
        target=Target.of("user", row, row.name),
        changes=changes,
        reason=reason,
    )
