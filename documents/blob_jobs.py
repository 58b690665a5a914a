"""The background work of files: scans, small pictures, and the end of what nobody has any more."""

from __future__ import annotations

import datetime as dt

from django.conf import settings

from cloudscribe.jobs.registry import job_handler, schedule
from cloudscribe.jobs.run import JobRun
from cloudscribe.lib.storage import incoming_sweep
from documents.queues import BLOB_SCAN, BLOB_SCANS, BLOBS_SWEEP, THUMBNAILS
from documents.services.blob_work import blob_picture, blob_scan, blobs_unscanned
from documents.services.blobs import blobs_sweep_next

# clamd may take its time with an archive of 100 MB.
_TIMEOUT = 600


@job_handler(BLOB_SCAN, timeout=_TIMEOUT)
def scan(run: JobRun) -> dict[str, str]:
    """Ask the scanner about one file."""
    return {"state": blob_scan(actor=run.actor, pk=int(run.payload["blob"]))}


@job_handler(BLOB_SCANS, timeout=_TIMEOUT)
def scan_rest(run: JobRun) -> dict[str, int]:
    """Ask about the files whose own job failed: the scanner was away for longer than that was tried."""
    return {"asked": blobs_unscanned(actor=run.actor)}


@job_handler(THUMBNAILS, max_attempts=3)
def thumbnails(run: JobRun) -> dict[str, bool]:
    """Make the small pictures of one image."""
    return {"made": blob_picture(actor=run.actor, pk=int(run.payload["blob"]))}


@job_handler(BLOBS_SWEEP, timeout=_TIMEOUT)
def sweep(run: JobRun) -> dict[str, int]:
    """Remove what no document has any more, and what crashes left of unfinished files."""
    removed = 0
    while blobs_sweep_next(actor=run.actor):
        removed += 1
        run.progress(removed)
    return {"removed": removed, "unfinished": incoming_sweep(older_than=settings.BLOB_GRACE)}


schedule("documents.blobs_sweep", dt.timedelta(hours=1), BLOBS_SWEEP)
schedule("documents.blob_scans", dt.timedelta(minutes=10), BLOB_SCANS)
