"""django-auditlog's entries: who acted, from our own actor and context instead of its middleware.

Its middleware asks the request for the user before the API's sign-in happened, and takes addresses and
correlation ids from headers that clients choose.
"""

from __future__ import annotations

from typing import Any

from auditlog.models import LogEntry
from auditlog.signals import post_log
from django.db.models.signals import pre_save

from cloudscribe.lib.actor import current_actor
from cloudscribe.lib.context import current_context


def request_id() -> str:
    """The id of the request at hand, as auditlog's correlation id."""
    return current_context().request_id


def connect() -> None:
    """Fill in each new entry, and tell the row that it describes which entry that was."""
    pre_save.connect(_fill, sender=LogEntry, dispatch_uid="audit.auditlog.fill")
    post_log.connect(_remember, dispatch_uid="audit.auditlog.remember")


def _fill(instance: LogEntry, **_: Any) -> None:
    actor = current_actor()
    instance.remote_addr = current_context().address or None
    if actor is not None:
        instance.actor_id = actor.pk
        instance.additional_data = {"actor": {"kind": actor.kind.value, "name": actor.name}}


def _remember(instance: Any, log_entry: LogEntry | None = None, **_: Any) -> None:
    # `Target.of` puts the entry's key into the event that the service writes next.
    if log_entry is not None:
        instance.audit_log_entry = log_entry.pk
