"""What the scheduler does for the trail."""

from __future__ import annotations

import tempfile
from typing import Any

from django.conf import settings

from audit.exporting import MEDIA_TYPES, ExportFormat, events_write
from audit.queues import EVENTS_EXPORT
from audit.services import events_seal, partitions_ensure
from audit.services.exports import filters_of
from audit.services.sealing import BATCH
from audit.witness import seal_witnessed
from cloudscribe.jobs.files import job_file_store
from cloudscribe.jobs.registry import job_handler, scheduler_loop
from cloudscribe.jobs.run import JobRun

# Of a long backlog the loops beside this one get a turn in between.
_MOST_BATCHES = 20

# The record goes on, whatever waits: people sign in to read.
scheduler_loop("audit.partitions", every=60.0, always=True)(partitions_ensure)


@scheduler_loop("audit.seal", every=settings.SEAL_INTERVAL, always=True)
def seal() -> None:
    """Seal what has settled and keep the newest checkpoint outside the database, too."""
    newest = None
    for _ in range(_MOST_BATCHES):
        sealed = events_seal()
        newest = sealed or newest
        if sealed is None or sealed.last_leaf - sealed.first_leaf + 1 < BATCH:
            break
    if newest is not None:
        seal_witnessed(newest)


@job_handler(EVENTS_EXPORT, timeout=3600)
def export(run: JobRun) -> dict[str, Any]:
    """Write the events that were asked for into a file; a second run's takes the place of the first's."""
    form = ExportFormat(run.payload["format"])
    with tempfile.TemporaryFile() as sink:
        written = events_write(sink, form, filters_of(run.payload), run.progress)
        name = f"audit-events.{form.value}"
        job_file_store(run=run, name=name, media_type=MEDIA_TYPES[form], content=sink, personal=True)
    return {"url": f"/api/v1/jobs/{run.job.uid}/file/", "events": written}
