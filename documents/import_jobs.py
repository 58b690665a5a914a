"""The background work of imports."""

from __future__ import annotations

from typing import Any

from cloudscribe.jobs.registry import job_handler
from cloudscribe.jobs.run import JobRun
from documents.queues import DOCUMENTS_IMPORT
from documents.services.import_requests import import_work

# Fifty thousand documents take minutes; who waits for another import of the workspace waits for an hour.
_TIMEOUT = 3_600
_TRIES = 10


@job_handler(DOCUMENTS_IMPORT, max_attempts=_TRIES, timeout=_TIMEOUT)
def import_documents(run: JobRun) -> dict[str, Any]:
    """Make documents of an upload; cancelled or cut off it leaves whole ones, which the next import knows."""
    return import_work(actor=run.actor, payload=run.payload, progress=run.progress)
