"""Invitations to workspaces: by mail, for whoever has the address or will have an account with it."""

from __future__ import annotations

import datetime as dt
import math
import uuid
from typing import Any

from django.conf import settings
from django.db.models.functions import Now

from accounts.actors import person_pk, proven_actor
from accounts.exceptions import InvalidMailedToken
from accounts.mailed_tokens import INVITATION, mailed_token_uid
from accounts.models import User
from accounts.powers import powers_required
from accounts.selectors import database_now
from accounts.services.mail import mail_request
from accounts.services.notifications import News, notify
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.emails import canonical_email
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional
from documents.exceptions import (
    InvitationClosed,
    InvitationForAnother,
    InvitationJustSent,
    InvitationMailsSpent,
    InvitationNeedsAccount,
    WorkspaceBusy,
)
from documents.models import Invitation, InvitationState, Workspace
from documents.notices import INVITATION_ACCEPTED
from documents.roles import Role
from documents.services.granting import expiry_check
from documents.services.inviting import invitations_open, inviter_may, membership_give
from documents.services.locking import Strength, actor_renewed, workspace_lock
from documents.services.members import rank_check, room_lock

INVITATION_STAFF = "documents.delete_invitation"
MAILS = 5
PAUSE = dt.timedelta(minutes=1)
# For so long an address doesn't get more mails by being uninvited and invited again.
_REMEMBERED = dt.timedelta(days=1)
# Addresses of people who never came are kept for no longer.
_KEPT = dt.timedelta(days=100)
# Who was invited to more workspaces than this before they had an account accepts the others one by one.
_CONVERTED = 100


@transactional
def invitation_send(
    *, actor: Actor, workspace: Workspace, email: str, role: Role, expires_at: dt.datetime | None = None
) -> Invitation:
    """Invite an address, up to the own role; `expires_at` is the end of the membership.

    Whose address it is isn't looked at before the mail is written. One that is invited already gets the role
    of now and, within the cap, another mail. Raises Forbidden, InvalidInput, NotFound.
    """
    actor = room_lock(actor, workspace)
    rank_check(actor, workspace, role)
    expiry_check(expires_at, actor.now)
    key = canonical_email(email)
    rows = Invitation.objects.filter(workspace=workspace, email_key=key)
    last = rows.filter(accepted_at__isnull=True).order_by("-last_sent_at", "-pk").first()
    given = {"role": str(role), "grant_expires_at": expires_at, "invited_by_id": person_pk(actor)}
    if last is not None and last.state_at(actor.now) is InvitationState.OPEN:
        rank_check(actor, workspace, Role(last.role))
        last.workspace = workspace
        return _renew(actor, last, given)
    # One that ran out makes room; it still counts as run out.
    rows.filter(accepted_at__isnull=True, revoked_at__isnull=True).update(revoked_at=actor.now)
    row = Invitation(workspace=workspace, email=email.strip(), email_key=key, **given)
    row.sent_count, row.last_sent_at = _mailed_lately(last, actor.now)
    row.expires_at = actor.now + _lifetime()
    mailed = _count(actor, row)
    row.save(force_insert=True)
    _event(actor, row, "invitation.created", {"role": (None, row.role)}, mailed=mailed)
    _mail(actor, row, mailed=mailed)
    return row


def _mailed_lately(last: Invitation | None, now: dt.datetime) -> tuple[int, dt.datetime]:
    """What counts on where an address was uninvited and is invited again."""
    if last is None or last.last_sent_at <= now - _REMEMBERED:
        return 0, now - PAUSE
    return last.sent_count, last.last_sent_at


def _renew(actor: Actor, row: Invitation, given: dict[str, Any]) -> Invitation:
    changes = {"role": (row.role, given["role"])} if row.role != given["role"] else {}
    for name, value in given.items():
        setattr(row, name, value)
    mailed = _count(actor, row)
    row.save(update_fields=[*given, "sent_count", "last_sent_at", "expires_at"])
    _event(actor, row, "invitation.resent", changes, mailed=mailed)
    _mail(actor, row, mailed=mailed)
    return row


@transactional
def invitation_resend(*, actor: Actor, workspace: Workspace, invitation: Invitation) -> Invitation:
    """Mail an open invitation once more, in the name of the actor; it holds anew from now on.

    Raises InvitationClosed, InvitationJustSent, InvitationMailsSpent, Forbidden, NotFound.
    """
    actor, row = _locked(actor, workspace, invitation)
    if row.state_at(actor.now) is not InvitationState.OPEN:
        raise InvitationClosed
    if row.sent_count >= MAILS:
        raise InvitationMailsSpent
    row.invited_by_id = person_pk(actor)
    if not _count(actor, row):
        left = (row.last_sent_at + PAUSE - actor.now).total_seconds()
        raise InvitationJustSent(math.ceil(left))
    row.save(update_fields=["invited_by", "sent_count", "last_sent_at", "expires_at"])
    _event(actor, row, "invitation.resent", {}, mailed=True)
    _mail(actor, row, mailed=True)
    return row


@transactional
def invitation_revoke(*, actor: Actor, workspace: Workspace, invitation: Invitation) -> None:
    """Take an invitation back: its token opens nothing from now on.

    Raises InvitationClosed for one that was accepted or revoked, Forbidden, NotFound.
    """
    actor, row = _locked(actor, workspace, invitation)
    _revoke(actor, row)


@transactional
def invitation_withdraw(*, actor: Actor, invitation: uuid.UUID) -> None:
    """Take back any invitation, as staff who hold the permission to delete them.

    Raises InvitationClosed, Forbidden, NotFound.
    """
    powers_required(actor, INVITATION_STAFF)
    found = Invitation.objects.filter(uid=invitation).first()
    if found is None:
        raise NotFound
    workspace_lock(found.workspace_id, Strength.REWRITE, tree=False)
    _revoke(actor, _fresh(found))


@transactional
def invitation_accept(*, actor: Actor, token: str) -> Invitation:
    """Become a member by the mailed token, as the owner of the invited address alone; gives the invitation.

    Raises InvalidMailedToken, also where who invited may not give the role any more, InvitationForAnother,
    WorkspaceBusy.
    """
    row = _proven(token)
    user = User.objects.get(pk=person_pk(actor))
    if user.email_key != row.email_key:
        raise InvitationForAnother
    return _accept(actor, row, user)


@transactional
def invitation_accept_by_mail(*, token: str) -> Invitation:
    """Make the owner of the invited address a member: the token proves the mailbox.

    Whoever shows it gains nothing for themselves. Raises InvalidMailedToken, InvitationNeedsAccount,
    WorkspaceBusy.
    """
    row = _proven(token)
    people = User.objects.filter(email_key=row.email_key, is_active=True, kind=User.Kind.PERSON)
    user = people.first()
    if user is None:
        raise InvitationNeedsAccount
    return _accept(proven_actor(user, row.uid, database_now()), row, user)


def invitations_convert(*, actor: Actor, user: User) -> None:
    """Make memberships of all that waits for somebody who has just joined, within the caller's transaction.

    What can't be given now (a workspace that is being rearranged) waits on for its token.
    """
    rows = invitations_open().filter(email_key=user.email_key, workspace__busy_job__isnull=True)
    for row in rows.select_related("workspace", "invited_by").order_by("workspace_id")[:_CONVERTED]:
        try:
            _accept(actor, row, user)
        except (InvalidMailedToken, NotFound, WorkspaceBusy):
            continue


@transactional
def invitations_purge() -> int:
    """Delete what ended long ago, with the addresses; how many."""
    return Invitation.objects.filter(expires_at__lt=Now() - _KEPT).delete()[0]


def _proven(token: str) -> Invitation:
    """The open invitation that a token names."""
    uid = mailed_token_uid(INVITATION, token)
    row = invitations_open().filter(uid=uid).first() if uid is not None else None
    if row is None:
        raise InvalidMailedToken
    return row


def _accept(actor: Actor, found: Invitation, user: User) -> Invitation:
    workspace_lock(found.workspace_id, Strength.REWRITE)
    actor = actor_renewed(actor)
    # Under the lock: of two who accept at once the second finds it accepted.
    rows = invitations_open().select_related("workspace", "invited_by").filter(pk=found.pk)
    row = rows.first()
    if row is None or not inviter_may(row):
        raise InvalidMailedToken
    # Nobody who is being deleted, kept out or moving to another address meanwhile becomes a member.
    people = User.objects.select_for_update(no_key=True)
    if people.filter(pk=user.pk, is_active=True, email_key=row.email_key).first() is None:
        raise InvalidMailedToken
    row.accepted_at, row.accepted_by = actor.now, user
    row.save(update_fields=["accepted_at", "accepted_by"])
    _event(actor, row, "invitation.accepted", {}, user=str(user.uid))
    membership_give(actor, row, user)
    if row.invited_by_id is not None:
        place = {"target_uid": row.workspace.uid, "workspace_uid": row.workspace.uid}
        news = News(INVITATION_ACCEPTED, target_type="workspace", facts={"role": row.role}, **place)
        notify(actor=actor, users=[row.invited_by_id], news=news)
    return row


def _locked(actor: Actor, workspace: Workspace, invitation: Invitation) -> tuple[Actor, Invitation]:
    """The actor and the row of now, under the workspace's lock, if the actor's role reaches up to it."""
    actor = room_lock(actor, workspace)
    row = _fresh(invitation)
    if row.workspace_id != workspace.pk:
        raise NotFound
    rank_check(actor, workspace, Role(row.role))
    return actor, row


def _fresh(invitation: Invitation) -> Invitation:
    row = Invitation.objects.select_related("workspace").filter(pk=invitation.pk).first()
    if row is None:
        raise NotFound
    return row


def _revoke(actor: Actor, row: Invitation) -> None:
    if row.accepted_at is not None or row.revoked_at is not None:
        raise InvitationClosed
    Invitation.objects.filter(pk=row.pk).update(revoked_at=Now())
    _event(actor, row, "invitation.revoked", {})


def _count(actor: Actor, row: Invitation) -> bool:
    """Count another mail, which lets the invitation hold anew, if one may be sent now."""
    if row.sent_count >= MAILS or actor.now < row.last_sent_at + PAUSE:
        return False
    row.sent_count += 1
    row.last_sent_at, row.expires_at = actor.now, actor.now + _lifetime()
    return True


def _mail(actor: Actor, row: Invitation, *, mailed: bool) -> None:
    if mailed:
        mail_request(actor.now, "invitation", row.uid)


def _lifetime() -> dt.timedelta:
    return dt.timedelta(seconds=settings.INVITATION_LIFETIME)


def _event(
    actor: Actor, row: Invitation, action: str, changes: dict[str, tuple[Any, Any]], **facts: Any
) -> None:
    event_record(
        actor=actor,
        action=action,
        target=Target("invitation", row.uid, row.email),
        workspace_uid=row.workspace.uid,
        changes=changes,
        facts=facts,
    )
