"""Joining: a wish to register, and the mailed token that makes a user of it."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from accounts.admission import is_admitted
from accounts.exceptions import InvalidMailedToken, RegistrationClosed
from accounts.mailed_tokens import REGISTRATION, mailed_token_uid
from accounts.models import Registration, User
from accounts.passwords import password_check, password_hash
from accounts.services.joining import member_join
from accounts.services.mail import mail_request
from cloudscribe.lib.emails import canonical_email
from cloudscribe.lib.transactions import transactional


def registration_request(*, email: str, password: str, name: str, locale: str = "en") -> None:
    """Note down the wish to join and have the address asked by mail.

    The work is the same for every address: whether it has an account, or an invitation where one is needed,
    is looked at when the mail is written.
    Raises RegistrationClosed, InvalidInput for a bad password, ServiceUnavailable.
    """
    if settings.REGISTRATION == "closed":
        raise RegistrationClosed
    password_check(password, user=User(email=email, name=name))
    _note_down(email=email.strip(), encoded=password_hash(password), name=name, locale=locale)


@transactional
def _note_down(*, email: str, encoded: str, name: str, locale: str) -> None:
    row = Registration.objects.create(
        email=email,
        email_key=canonical_email(email),
        name=name,
        locale=locale,
        password=encoded,
        expires_at=Now() + dt.timedelta(seconds=settings.VERIFICATION_LIFETIME),
    )
    mail_request(row.created_at, "registration", row.uid)


@transactional
def registration_confirm(*, token: str) -> User:
    """Make the user whose address is proven by the mailed token; they are a `member`.

    Raises InvalidMailedToken, also where the address has got an account or lost its invitation meanwhile.
    """
    row, now = _proven(token)
    if not is_admitted(row.email_key):
        raise InvalidMailedToken
    user = _user_make(row, now)
    member_join(user=user, proof=row.uid, now=now)
    return user


def _proven(token: str) -> tuple[Registration, dt.datetime]:
    """The wish to join that the token names, held against whoever follows the same link, and the time."""
    uid = mailed_token_uid(REGISTRATION, token)
    rows = Registration.objects.select_for_update().annotate(clock=Now())
    row = rows.filter(uid=uid, expires_at__gt=Now()).first() if uid else None
    if row is None:
        raise InvalidMailedToken
    return row, row.clock


def _user_make(row: Registration, now: dt.datetime) -> User:
    user = User(
        email=row.email,
        email_key=row.email_key,
        name=row.name,
        locale=row.locale,
        password=row.password,
        email_verified_at=now,
    )
    try:
        with transaction.atomic():
            user.save(force_insert=True)
    except IntegrityError as error:
        # Another registration of the address was confirmed first; its password is the one that counts.
        raise InvalidMailedToken from error
    return user
