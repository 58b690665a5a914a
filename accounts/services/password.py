"""Changing a password, and getting a new one where it is forgotten."""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.conf import settings
from django.db.models.functions import Now

from accounts.actors import person_held, person_pk, session_actor
from accounts.exceptions import InvalidMailedToken
from accounts.mailed_tokens import PASSWORD_RESET, mailed_token_uid
from accounts.models import PasswordReset, User
from accounts.notifications import PASSWORD_CHANGED
from accounts.passwords import password_check, password_hash, password_matches
from accounts.services.limiter import attempt_fail, attempt_forgive, attempt_open
from accounts.services.mail import mail_request
from accounts.services.notifications import News, notify
from accounts.services.sessions import sessions_end
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor, CredentialKind
from cloudscribe.lib.emails import canonical_email
from cloudscribe.lib.errors import InvalidInput
from cloudscribe.lib.transactions import transactional


def password_change(*, actor: Actor, current: str, password: str, address: str) -> None:
    """Set a new password for the actor, who knows the current one; all other sessions end.

    Raises InvalidInput that points at `current_password` or `password`, and SignInLimited: whoever holds a
    stolen access token must not guess here.
    """
    user = User.objects.get(pk=person_pk(actor))
    password_check(password, user=user)
    attempt = attempt_open(email_key=user.email_key, address=address)
    if not password_matches(current, user.password):
        attempt_fail(attempt)
        raise InvalidInput.field("/current_password", "invalid_password", "This is not your password.")
    attempt_forgive(attempt)
    _write(actor=actor, old=user.password, new=password_hash(password))


@transactional
def _write(*, actor: Actor, old: str, new: str) -> None:
    # Compared again under the lock: of two changes at once the second no longer knew the current password.
    user = person_held(actor)
    if user.password != old:
        raise InvalidInput.field("/current_password", "invalid_password", "This is not your password.")
    User.objects.filter(pk=user.pk).update(password=new, updated_at=Now())
    sessions_end(actor=actor, user_pk=user.pk, reason="password_changed", keep=actor.credential_uid)
    event_record(actor=actor, action="user.password_changed", target=Target("user", user.uid, user.name))
    mail_request(actor.now, "password_changed", user.uid)
    notify(actor=actor, users=[user.pk], news=News(PASSWORD_CHANGED))


@transactional
def password_reset_request(*, email: str) -> None:
    """Have a token mailed to the owner of an account; the work is the same where there is none."""
    row = PasswordReset.objects.create(
        email_key=canonical_email(email),
        expires_at=Now() + dt.timedelta(seconds=min(settings.VERIFICATION_LIFETIME, 86_400)),
    )
    mail_request(row.created_at, "password_reset", row.uid)


def password_reset(*, token: str, password: str) -> None:
    """Set a new password by the mailed token; every session of the user ends.

    Raises InvalidMailedToken and, for a bad password, InvalidInput; the token can be used again after that.
    """
    uid = mailed_token_uid(PASSWORD_RESET, token)
    row = (
        PasswordReset.objects.filter(uid=uid, expires_at__gt=Now(), user__is_active=True)
        .select_related("user")
        .first()
        if uid
        else None
    )
    if row is None or row.user is None:
        raise InvalidMailedToken
    password_check(password, user=row.user)
    _reset(reset_pk=row.pk, encoded=password_hash(password))


@transactional
def _reset(*, reset_pk: int, encoded: str) -> None:
    row = (
        PasswordReset.objects.select_for_update(of=("self",))
        .annotate(clock=Now())
        .filter(pk=reset_pk)
        .first()
    )
    if row is None or row.user_id is None:
        raise InvalidMailedToken
    user = User.objects.select_for_update(no_key=True).get(pk=row.user_id)
    # Whoever reads the mailbox has proven the address.
    verified = user.email_verified_at or row.clock
    User.objects.filter(pk=user.pk).update(password=encoded, email_verified_at=verified, updated_at=Now())
    PasswordReset.objects.filter(user_id=user.pk).delete()
    # No session speaks here: the mailed token does.
    actor = dataclasses.replace(
        session_actor(user, row.uid, row.clock), credential_kind=CredentialKind.TOKEN, authenticated_at=None
    )
    sessions_end(actor=actor, user_pk=user.pk, reason="password_reset")
    event_record(actor=actor, action="user.password_reset", target=Target("user", user.uid, user.name))
    mail_request(row.clock, "password_changed", user.uid)
    notify(actor=actor, users=[user.pk], news=News(PASSWORD_CHANGED))
