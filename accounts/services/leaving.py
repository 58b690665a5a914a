"""Closing accounts and deleting them."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth.hashers import make_password
from django.db.models import Q
from django.db.models.functions import Now

from accounts.actors import person_held, person_pk
from accounts.exceptions import OwnAccount
from accounts.models import (
    Ceremony,
    EmailChange,
    Identity,
    Notification,
    NotificationPreference,
    Passkey,
    PasswordReset,
    RecoveryCode,
    Registration,
    Session,
    TeamManager,
    Token,
    TotpDevice,
    User,
)
from accounts.ports import handover, team_access
from accounts.powers import administrator_check, administrators_lock, powers_of, powers_required
from accounts.services.sessions import sessions_end
from accounts.services.tokens import tokens_end
from audit.services import Target, event_record
from cloudscribe.jobs.files import jobs_forsake
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import Forbidden, NotAuthenticated, NotFound
from cloudscribe.lib.transactions import transactional

DELETE_PERMISSION = "accounts.delete_user"
DELETED_NAME = "Deleted person"
# A name that can never be in the DNS (RFC 2606).
_MAIL_DOMAIN = "deleted.invalid"
_DEACTIVATED, _DELETED = "deactivated", "deleted"

# What is nobody else's and goes with the person.
_BELONGINGS: tuple[Any, ...] = (
    Ceremony,
    EmailChange,
    Identity,
    Notification,
    NotificationPreference,
    Passkey,
    RecoveryCode,
    Session,
    TeamManager,
    Token,
    TotpDevice,
)


@transactional
def user_deactivate(*, actor: Actor) -> None:
    """Close the actor's own account: nobody signs in as them from the next request on.

    All stays as it is but sessions and tokens, which end; staff can let the person in again. Raises LastOwner
    that names the workspaces, LastAdministrator, NotAuthenticated.
    """
    pk = person_pk(actor)
    # Before all other locks, as whoever else changes who is there does; workspaces come before users.
    administrators_lock()
    user = _self(actor)
    handover.ask.owners_check(actor, user)
    user = person_held(actor)
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


@transactional
def own_account_delete(*, actor: Actor, hand_over_to: uuid.UUID | None = None) -> None:
    """Delete the actor's own account; what they own goes to `hand_over_to`, somebody they share a room with.

    Raises NotFound for anybody else, LastOwner that names the workspaces, LastAdministrator,
    NotAuthenticated.
    """
    administrators_lock()
    row = _self(actor)
    receiver = _receiver(row, hand_over_to)
    if receiver is not None and not team_access.ask.knows(actor, receiver):
        raise NotFound
    _delete(actor, row, receiver)


@transactional
def user_delete(*, actor: Actor, user: uuid.UUID, hand_over_to: uuid.UUID | None = None) -> None:
    """Delete somebody's account (DELETE_PERMISSION); what they own goes to `hand_over_to`.

    Raises NotFound, OwnAccount, LastOwner that names the workspaces, LastAdministrator, and Forbidden for
    somebody who holds more than the actor.
    """
    administrators_lock()
    row = _person(user)
    if row.pk == actor.pk:
        raise OwnAccount
    if not powers_required(actor, DELETE_PERMISSION).cover(powers_of(row)):
        raise Forbidden("This person holds permissions that you don't.")
    _delete(actor, row, _receiver(row, hand_over_to))


def _self(actor: Actor) -> User:
    """The actor's own row, under the administrators' lock.

    Raises NotAuthenticated for who was kept out, or has left, while the request waited for that.
    """
    row = User.objects.filter(pk=person_pk(actor), is_active=True).first()
    if row is None:
        raise NotAuthenticated
    return row


def _person(uid: uuid.UUID) -> User:
    row = User.objects.filter(uid=uid, kind=User.Kind.PERSON, deleted_at=None).first()
    if row is None:
        raise NotFound
    return row


def _receiver(leaver: User, uid: uuid.UUID | None) -> User | None:
    """Who takes over; nobody is kept out or deleted meanwhile, for that takes the administrators' lock."""
    if uid is None:
        return None
    person = _person(uid)
    if person.pk == leaver.pk or not person.is_active:
        raise NotFound
    return person


def _delete(actor: Actor, row: User, receiver: User | None) -> None:
    administrator_check(row)
    handover.ask.transfer(actor, row, receiver)
    sessions_end(actor=actor, user_pk=row.pk, reason=_DELETED)
    tokens_end(actor=actor, user_pk=row.pk, reason=_DELETED)
    event_record(
        actor=actor,
        action="user.deleted",
        target=Target("user", row.uid, row.name),
        facts={"receiver": str(receiver.uid) if receiver else None},
    )
    jobs_forsake(actor_uid=row.uid)
    _belongings_delete(row)
    # Not by `save`: django-auditlog would write the address and the name down once more.
    email = f"deleted-{row.uid}@{_MAIL_DOMAIN}"
    User.objects.filter(pk=row.pk).update(
        email=email,
        email_key=email,
        name=DELETED_NAME,
        password=make_password(None),
        locale="en",
        timezone="UTC",
        is_active=False,
        is_staff=False,
        is_superuser=False,
        email_verified_at=None,
        suspended_at=None,
        suspended_reason="",
        deactivated_at=None,
        deleted_at=actor.now,
        updated_at=Now(),
    )


def _belongings_delete(row: User) -> None:
    for model in _BELONGINGS:
        model.objects.filter(user=row).delete()
    PasswordReset.objects.filter(Q(user=row) | Q(email_key=row.email_key)).delete()
    Registration.objects.filter(email_key=row.email_key).delete()
    # What others were told of them goes on without the name.
    Notification.objects.filter(actor_uid=row.uid).update(actor_name=DELETED_NAME)
    row.groups.clear()
    row.user_permissions.clear()
