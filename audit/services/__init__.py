"""Every write of the trail: events, their seals, and what goes when its time is over."""

from audit.services.erasure import person_details_erase
from audit.services.events import (
    Changes,
    Entry,
    Target,
    event_along,
    event_record,
    events_record,
    partitions_ensure,
)
from audit.services.exports import events_export_request
from audit.services.restoring import backup_record, log_continue
from audit.services.sealing import events_seal

__all__ = [
    "Changes",
    "Entry",
    "Target",
    "backup_record",
    "event_along",
    "event_record",
    "events_export_request",
    "events_record",
    "events_seal",
    "log_continue",
    "partitions_ensure",
    "person_details_erase",
]
