"""The app's background work: each handler fetches anew and calls a service."""

from __future__ import annotations

import datetime as dt

from cloudscribe.jobs.registry import job_handler, schedule
from cloudscribe.jobs.run import JobRun
from documents.queues import SEARCH_INDEX, SEARCH_STATISTICS
from documents.services.indexing import bodies_index, lexemes_refresh


@job_handler(SEARCH_INDEX)
def search_index(run: JobRun) -> dict[str, int]:
    """Make the vectors that writes left for later, those of large bodies."""
    done, last = 0, 0
    while True:
        indexed, last = bodies_index(actor=run.actor, after=last, pending=True)
        if not indexed:
            return {"indexed": done}
        done += indexed
        run.progress(done)


@job_handler(SEARCH_STATISTICS)
def search_statistics(run: JobRun) -> dict[str, int]:
    """Count anew in how many documents each word stands."""
    return {"words": lexemes_refresh(actor=run.actor)}


schedule("documents.search_index", dt.timedelta(minutes=1), SEARCH_INDEX)
schedule("documents.search_statistics", dt.timedelta(minutes=15), SEARCH_STATISTICS)
