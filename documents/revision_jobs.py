"""The background work of revisions."""

from __future__ import annotations

import dataclasses
import datetime as dt

from cloudscribe.jobs.registry import job_handler, schedule
from cloudscribe.jobs.run import JobRun
from documents.queues import REVISIONS_EXPIRE
from documents.services.expiring import revisions_expire

_TIMEOUT = 3_600


@job_handler(REVISIONS_EXPIRE, timeout=_TIMEOUT)
def expire_revisions(run: JobRun) -> dict[str, int]:
    """Remove the bodies of revisions that their workspaces keep no longer."""
    return dataclasses.asdict(revisions_expire(actor=run.actor, progress=run.progress))


schedule("documents.revisions_expire", dt.timedelta(days=1), REVISIONS_EXPIRE)
