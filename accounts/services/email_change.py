"""Another address for an account: the wish, and the mailed token that proves the new one."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now

from accounts.actors import person_held, proven_actor, session_uid
from accounts.exceptions import EmailTaken, InvalidMailedToken
from accounts.mailed_tokens import EMAIL_CHANGE, mailed_token_uid
from accounts.models import EmailChange, PasswordReset, Registration, Session, User
from accounts.notifications import EMAIL_CHANGED
from accounts.services.mail import mail_request
from accounts.services.notifications import News, notify
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.emails import canonical_email
from cloudscribe.lib.errors import NotAuthenticated
from cloudscribe.lib.transactions import transactional


@transactional
def email_change_request(*, actor: Actor, email: str) -> None:
    """Have the new address of the actor asked by mail; an earlier wish of theirs is void.

    The work is the same for every address: whether it has an account is looked at when the mail is written.
    Raises NotAuthenticated where the session has ended meanwhile.
    """
    # Of two wishes at once the later one waits, and finds the other to delete.
    user = person_held(actor)
    # Whoever ends the session waits and finds the wish to void; where they came first there is none.
    session = Session.objects.select_for_update(no_key=True).filter(uid=session_uid(actor), revoked_at=None)
    if session.first() is None:
        raise NotAuthenticated
    EmailChange.objects.filter(user=user, confirmed_at__isnull=True).delete()
    row = EmailChange.objects.create(
        user=user, email=email.strip(), email_key=canonical_email(email), expires_at=Now() + _lifetime()
    )
    mail_request(row.created_at, "email_change", row.uid)


@transactional
def email_change_confirm(*, token: str) -> User:
    """Give the account its new address, proven by the mailed token; the old one is told by mail.

    Sessions stay: the person is the same. Tokens for a new password that went to the old address are void.
    Raises InvalidMailedToken, and EmailTaken where somebody else has got the address meanwhile.
    """
    row, user, now = _proven(token)
    old = user.email
    user.email, user.email_key, user.email_verified_at, user.updated_at = row.email, row.email_key, now, now
    try:
        with transaction.atomic():
            user.save(update_fields=["email", "email_key", "email_verified_at", "updated_at"])
    except IntegrityError as error:
        raise EmailTaken from error
    EmailChange.objects.filter(pk=row.pk).update(
        old_email=old, confirmed_at=now, expires_at=Now() + _lifetime()
    )
    PasswordReset.objects.filter(Q(user=user) | Q(email_key=canonical_email(old))).delete()
    Registration.objects.filter(email_key=row.email_key).delete()
    actor = proven_actor(user, row.uid, now)
    event_record(
        actor=actor,
        action="email.changed",
        target=Target.of("user", user, user.name),
        changes={"email": (old, row.email)},
    )
    mail_request(now, "email_changed", row.uid)
    notify(actor=actor, users=[user.pk], news=News(EMAIL_CHANGED))
    return user


def _lifetime() -> dt.timedelta:
    return dt.timedelta(seconds=settings.VERIFICATION_LIFETIME)


def _proven(token: str) -> tuple[EmailChange, User, dt.datetime]:
    """The wish that the token names and its user, both held, and the time."""
    uid = mailed_token_uid(EMAIL_CHANGE, token)
    if uid is None:
        raise InvalidMailedToken
    rows = EmailChange.objects.filter(
        uid=uid, confirmed_at__isnull=True, expires_at__gt=Now(), user__is_active=True
    )
    found = rows.values_list("user_id", flat=True).first()
    if found is None:
        raise InvalidMailedToken
    # The user first, as a new wish does; whoever followed the same link earlier has used the wish up.
    user = User.objects.select_for_update(no_key=True).get(pk=found)
    row = rows.select_for_update(of=("self",)).annotate(clock=Now()).first()
    if row is None:
        raise InvalidMailedToken
    return row, user, row.clock
