"""What staff do about second factors: have a role demand one, reset those of who lost theirs."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import Group
from django.db.models.functions import Now

from accounts.exceptions import OwnAccount, OwnFactorFirst, SecondFactorMissing
from accounts.factors import factors_of
from accounts.models import Passkey, RecoveryCode, RolePolicy, TotpDevice, User
from accounts.notifications import MFA_RESET
from accounts.powers import powers_of, powers_required
from accounts.roles import PREFIX
from accounts.services.mail import mail_request
from accounts.services.notifications import News, notify
from accounts.services.sessions import sessions_end
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import Forbidden, NotFound
from cloudscribe.lib.transactions import transactional

POLICY_PERMISSION = "accounts.change_rolepolicy"
RESET_PERMISSION = "accounts.delete_totpdevice"


@transactional
def role_policy_set(*, actor: Actor, role: str, second_factor: bool) -> RolePolicy:
    """Have the role demand a second factor, or no longer, from everybody's next request on.

    Raises NotFound for no role, Forbidden without the permission, and OwnFactorFirst where the actor holds
    the role and has none: they would shut themselves out of the admin.
    """
    powers_required(actor, POLICY_PERMISSION)
    group = Group.objects.select_for_update(no_key=True).filter(name=PREFIX + role).first()
    if group is None:
        raise NotFound
    holds = actor.pk is not None and group.user_set.filter(pk=actor.pk).exists()
    if second_factor and holds and not factors_of(actor.pk or 0).enrolled:
        raise OwnFactorFirst
    policy, _ = RolePolicy.objects.get_or_create(group=group)
    if policy.second_factor != second_factor:
        change = (policy.second_factor, second_factor)
        policy.second_factor = second_factor
        RolePolicy.objects.filter(pk=policy.pk).update(second_factor=second_factor, updated_at=Now())
        event_record(
            actor=actor,
            action="role_policy.updated",
            target=Target("role", None, role),
            changes={"second_factor": change},
        )
    return policy


@transactional
def factors_reset(*, actor: Actor, user: uuid.UUID, reason: str = "") -> None:
    """Take all second factors from a person who lost theirs; they sign in by the password again.

    All their sessions end and they are told by mail. Raises NotFound, SecondFactorMissing, OwnAccount (one's
    own are turned off by proving them), and Forbidden without the permission or for who holds more than the
    actor.
    """
    powers = powers_required(actor, RESET_PERMISSION)
    row = User.objects.select_for_update(no_key=True).filter(uid=user, deleted_at=None).first()
    if row is None:
        raise NotFound
    if row.pk == actor.pk:
        raise OwnAccount
    if not powers.cover(powers_of(row)):
        raise Forbidden("This person holds more than you do.")
    if not factors_of(row.pk).enrolled:
        raise SecondFactorMissing
    for rows in (TotpDevice.objects, Passkey.objects, RecoveryCode.objects):
        rows.filter(user_id=row.pk).delete()
    sessions_end(actor=actor, user_pk=row.pk, reason="mfa_reset")
    event_record(actor=actor, action="mfa.reset", target=Target("user", row.uid, row.name), reason=reason)
    mail_request(actor.now, "second_factor_removed", row.uid)
    notify(actor=actor, users=[row.pk], news=News(MFA_RESET))
