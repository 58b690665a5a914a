"""The background work of what people mark and watch."""

from __future__ import annotations

import datetime as dt

from cloudscribe.jobs.registry import job_handler, schedule
from cloudscribe.jobs.run import JobRun
from documents.queues import RECENT_PRUNE, WATCH_NEWS
from documents.services.marks import recent_prune
from documents.services.watching import watchers_tell


@job_handler(WATCH_NEWS)
def watch_news(run: JobRun) -> dict[str, int]:
    """Tell watchers of what changed since the last time."""
    batches = 1
    while watchers_tell(actor=run.actor):
        batches += 1
        run.progress(batches)
    return {"batches": batches}


@job_handler(RECENT_PRUNE)
def prune_recent(run: JobRun) -> dict[str, int]:
    """Forget what nobody looks back upon."""
    return {"pruned": recent_prune(actor=run.actor)}


schedule("documents.recent_prune", dt.timedelta(days=1), RECENT_PRUNE)
schedule("documents.watch_news", dt.timedelta(minutes=1), WATCH_NEWS, queue="fast")
