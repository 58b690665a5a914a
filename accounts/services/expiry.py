"""Deleting what has ended and is of no use any more."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import (
    Ceremony,
    EmailChange,
    Notification,
    PasswordReset,
    Registration,
    Session,
    SignInFailure,
    Token,
)
from cloudscribe.lib.transactions import transactional

# The sign-in limiter asks from where an account signed in within 90 days.
_SESSIONS_KEPT = dt.timedelta(days=100)
_TOKENS_KEPT = dt.timedelta(days=100)
_FAILURES_KEPT = dt.timedelta(days=1)


@transactional
def expired_purge() -> dict[str, int]:
    """Delete mailed tokens out of date, old failures, sessions and tokens of long ago; their numbers."""
    ended = Q(revoked_at__isnull=False) | Q(expires_at__lt=Now())
    found = {
        "ceremonies": Ceremony.objects.filter(expires_at__lt=Now()),
        "email_changes": EmailChange.objects.filter(expires_at__lt=Now()),
        "notifications": Notification.objects.filter(
            created_at__lt=Now() - dt.timedelta(seconds=settings.NOTIFICATION_RETENTION)
        ),
        "registrations": Registration.objects.filter(expires_at__lt=Now()),
        "password_resets": PasswordReset.objects.filter(expires_at__lt=Now()),
        "sign_in_failures": SignInFailure.objects.filter(at__lt=Now() - _FAILURES_KEPT),
        # A job that a token asked for may wait for long, and fails where the token was revoked.
        "tokens": Token.objects.filter(
            Q(expires_at__lt=Now() - _TOKENS_KEPT) | Q(revoked_at__lt=Now() - _TOKENS_KEPT)
        ),
        "sessions": Session.objects.filter(ended, created_at__lt=Now() - _SESSIONS_KEPT),
    }
    return {name: rows.delete()[0] for name, rows in found.items()}
