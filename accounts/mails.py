"""What mails say: each fetches its rows when it is sent, and may find that there is nothing to say."""

from __future__ import annotations

import dataclasses
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db.models.functions import Now
from django.template.loader import render_to_string
from django.utils import translation

from accounts.admission import is_admitted
from accounts.mailed_tokens import EMAIL_CHANGE, PASSWORD_RESET, REGISTRATION, mailed_token
from accounts.models import EmailChange, PasswordReset, RecoveryCode, Registration, Session, User
from cloudscribe.lib.emails import email_envelope


@dataclasses.dataclass(frozen=True, slots=True)
class Message:
    """One mail before it is rendered: whom to, its template under `templates/mail/`, subject and values."""

    to: str
    name: str
    locale: str
    template: str
    subject: str
    values: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def mail_of(message: str, subject: uuid.UUID, reference: str) -> EmailMultiAlternatives | None:
    """The rendered mail, None where there is nothing to say any more; KeyError for an unknown message.

    `reference` makes its Message-ID, so that a mail that was sent twice is one to whoever receives it.
    """
    found = MESSAGES[message](subject)
    return None if found is None else mail_rendered(found, reference)


def mail_rendered(found: Message, reference: str) -> EmailMultiAlternatives:
    """The mail in both its parts; `reference` as above."""
    values = {"name": found.name, "public_url": settings.PUBLIC_URL, "subject": found.subject, **found.values}
    with translation.override(found.locale):
        text = render_to_string(f"mail/{found.template}.txt", values)
        html = render_to_string(f"mail/{found.template}.html", values)
    mail = EmailMultiAlternatives(
        found.subject,
        text,
        to=[email_envelope(found.to)],
        headers={"Message-ID": f"<{reference}@cloudscribe>", "Auto-Submitted": "auto-generated"},
    )
    mail.attach_alternative(html, "text/html")
    return mail


def _registration(uid: uuid.UUID) -> Message | None:
    row = Registration.objects.filter(uid=uid, expires_at__gt=Now()).first()
    if row is None:
        return None
    owner = User.objects.filter(email_key=row.email_key).first()
    if owner is not None:
        # To the address as its owner gave it: two spellings may be two mailboxes.
        title = "You already have an account"
        return Message(owner.email, owner.name, owner.locale, "account_exists", title)
    if not is_admitted(row.email_key):
        return None
    link = f"{settings.PUBLIC_URL}/account/verify/?token={mailed_token(REGISTRATION, uid)}"
    title = "Confirm your e-mail address"
    return Message(row.email, row.name, row.locale, "verify_email", title, {"link": link})


def _password_reset(uid: uuid.UUID) -> Message | None:
    row = PasswordReset.objects.filter(uid=uid, expires_at__gt=Now()).first()
    if row is None:
        return None
    owner = User.objects.filter(email_key=row.email_key, is_active=True, kind=User.Kind.PERSON).first()
    if owner is None:
        return None
    PasswordReset.objects.filter(pk=row.pk).update(user=owner)
    link = f"{settings.PUBLIC_URL}/account/reset/?token={mailed_token(PASSWORD_RESET, uid)}"
    return Message(
        owner.email, owner.name, owner.locale, "password_reset", "Reset your password", {"link": link}
    )


def _password_changed(uid: uuid.UUID) -> Message | None:
    user = User.objects.filter(uid=uid, is_active=True).first()
    if user is None:
        return None
    return Message(user.email, user.name, user.locale, "password_changed", "Your password was changed")


def _email_change(uid: uuid.UUID) -> Message | None:
    rows = EmailChange.objects.filter(confirmed_at__isnull=True, expires_at__gt=Now(), user__is_active=True)
    row = rows.select_related("user").filter(uid=uid).first()
    if row is None:
        return None
    owner = User.objects.filter(email_key=row.email_key).exclude(pk=row.user_id).first()
    if owner is not None:
        title = "Somebody wants to use your address"
        return Message(owner.email, owner.name, owner.locale, "email_change_taken", title)
    link = f"{settings.PUBLIC_URL}/account/email/?token={mailed_token(EMAIL_CHANGE, uid)}"
    title = "Confirm your new e-mail address"
    return Message(row.email, row.user.name, row.user.locale, "email_change", title, {"link": link})


def _email_changed(uid: uuid.UUID) -> Message | None:
    row = EmailChange.objects.select_related("user").filter(uid=uid, confirmed_at__isnull=False).first()
    if row is None:
        return None
    user, title = row.user, "Your e-mail address was changed"
    return Message(row.old_email, user.name, user.locale, "email_changed", title, {"changed_to": row.email})


def _second_factor_added(uid: uuid.UUID) -> Message | None:
    return _to_user(uid, "second_factor_added", "A second factor was added")


def _second_factor_removed(uid: uuid.UUID) -> Message | None:
    return _to_user(uid, "second_factor_removed", "A second factor was removed")


def _recovery_code_used(uid: uuid.UUID) -> Message | None:
    left = RecoveryCode.objects.filter(user__uid=uid, used_at__isnull=True).count()
    return _to_user(uid, "recovery_code_used", "A recovery code was used", {"left": left})


def _identity_linked(uid: uuid.UUID) -> Message | None:
    return _to_user(
        uid, "identity_linked", "Another way to sign in was added", {"provider": settings.OIDC_NAME}
    )


def _identity_unlinked(uid: uuid.UUID) -> Message | None:
    return _to_user(
        uid, "identity_unlinked", "A way to sign in was removed", {"provider": settings.OIDC_NAME}
    )


def _to_user(
    uid: uuid.UUID, template: str, title: str, values: Mapping[str, Any] | None = None
) -> Message | None:
    user = User.objects.filter(uid=uid, is_active=True).first()
    return Message(user.email, user.name, user.locale, template, title, values or {}) if user else None


def _session_reused(uid: uuid.UUID) -> Message | None:
    session = Session.objects.select_related("user").filter(uid=uid).first()
    if session is None:
        return None
    user, title = session.user, "We ended one of your sessions"
    return Message(user.email, user.name, user.locale, "session_reused", title, {"session": session})


MESSAGES: dict[str, Callable[[uuid.UUID], Message | None]] = {
    "email_change": _email_change,
    "email_changed": _email_changed,
    "identity_linked": _identity_linked,
    "identity_unlinked": _identity_unlinked,
    "password_changed": _password_changed,
    "password_reset": _password_reset,
    "recovery_code_used": _recovery_code_used,
    "registration": _registration,
    "second_factor_added": _second_factor_added,
    "second_factor_removed": _second_factor_removed,
    "session_reused": _session_reused,
}
