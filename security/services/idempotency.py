"""The kept answers of creating requests."""

from __future__ import annotations

from django.db.models.functions import Now

from cloudscribe.lib.transactions import transactional
from security.models import IdempotencyKey


@transactional
def idempotency_keys_purge() -> int:
    """Delete the kept answers whose day is over; gives their number."""
    deleted, _ = IdempotencyKey.objects.filter(expires_at__lte=Now()).delete()
    return deleted
