"""The rate limits."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Now

from audit.diff import model_changes
from audit.services import Target, event_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.errors import NotFound
from cloudscribe.lib.transactions import transactional
from security.models import RateLimitPolicy

LIMIT_FIELDS = ("requests", "seconds", "enabled")


@transactional
def rate_limit_update(*, actor: Actor, policy: uuid.UUID, changes: Mapping[str, Any]) -> RateLimitPolicy:
    """Change a limit; every worker follows within seconds. Raises NotFound."""
    row = RateLimitPolicy.objects.select_for_update(no_key=True).filter(uid=policy).first()
    if row is None:
        raise NotFound
    before = copy.copy(row)
    for field in LIMIT_FIELDS:
        setattr(row, field, changes.get(field, getattr(row, field)))
    changed = model_changes(before, row, LIMIT_FIELDS)
    if changed:
        row.updated_at = Now()
        row.save(update_fields=[*changed, "updated_at"])
        row.refresh_from_db(fields=["updated_at"])
        event_record(
            actor=actor,
            action="rate_limit.updated",
            target=Target.of("rate_limit", row, f"{row.scope} by {row.key}"),
            changes=changed,
        )
    return row
