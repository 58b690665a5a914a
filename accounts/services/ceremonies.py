"""Challenges: made here, answered once, within minutes, by the session that asked."""

from __future__ import annotations

import datetime as dt
import hashlib
import secrets
import uuid

from django.conf import settings
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Ceremony
from cloudscribe.lib.transactions import transactional

_CHALLENGE_BYTES = 32


def ceremony_open(
    *, kind: Ceremony.Kind, user_pk: int | None = None, session: uuid.UUID | None = None
) -> bytes:
    """A new challenge, in the caller's transaction."""
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    Ceremony.objects.create(
        kind=kind,
        user_id=user_pk,
        session_uid=session,
        secret_hash=hashlib.sha256(challenge).digest(),
        expires_at=Now() + dt.timedelta(seconds=settings.CEREMONY_LIFETIME),
    )
    return challenge


@transactional
def ceremony_redeem(
    *,
    kind: Ceremony.Kind,
    challenge: bytes | None,
    user_pk: int | None = None,
    session: uuid.UUID | None = None,
) -> bytes | None:
    """The challenge, if it is one of ours for this purpose, session and moment; it is gone from now on.

    A transaction of its own: a wrong answer uses the challenge up, too.
    """
    row = (
        Ceremony.objects.select_for_update()
        .filter(
            Q(user_id=user_pk) if user_pk else Q(user_id__isnull=True),
            kind=kind,
            session_uid=session,
            secret_hash=hashlib.sha256(challenge or b"").digest(),
            expires_at__gt=Now(),
        )
        .first()
    )
    if row is None:
        return None
    row.delete()
    return challenge
