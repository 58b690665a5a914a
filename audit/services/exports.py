"""Asking for the trail as a file."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from audit.exporting import ExportFormat
from audit.queues import EVENTS_EXPORT
from audit.services.events import Target, event_record
from cloudscribe.jobs.models import Job
from cloudscribe.jobs.services import job_enqueue
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.transactions import transactional


@transactional
def events_export_request(*, actor: Actor, form: ExportFormat, filters: Mapping[str, Any]) -> Job:
    """Ask for the events that match `filters` (as `events_found` takes them) as a file; a job makes it."""
    plain = {name: _plain(value) for name, value in filters.items()}
    payload = {"format": form.value, "filters": plain}
    job = job_enqueue(actor=actor, kind=EVENTS_EXPORT, payload=payload, queue="slow")
    event_record(
        actor=actor,
        action="audit.exported",
        target=Target("job", job.uid, EVENTS_EXPORT),
        changes={name: (None, value) for name, value in plain.items()},
        facts={"format": form.value},
    )
    return job


def filters_of(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The filters of a job's payload, as `events_found` takes them."""
    return {
        name: dt.datetime.fromisoformat(value) if name.startswith("at__") else value
        for name, value in payload["filters"].items()
    }


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, dt.datetime) else str(value)
