"""The app's background work: each handler fetches anew and calls a service."""

from __future__ import annotations

import contextlib
import datetime as dt
import uuid
from collections.abc import Iterator
from typing import Any

from cloudscribe.jobs.exceptions import JobCancelled
from cloudscribe.jobs.registry import job_handler, schedule, scheduler_loop
from cloudscribe.jobs.run import JobRun
from documents import (  # noqa: F401 (registers their jobs)
    blob_jobs,
    comment_jobs,
    export_jobs,
    import_jobs,
    mark_jobs,
    revision_jobs,
    webhook_jobs,
)
from documents.queues import (
    ACCESS_REQUEST_TELL,
    ACCESS_REQUESTS_PURGE,
    INVITATIONS_PURGE,
    LINK_VISITS_PURGE,
    POSITIONS_REBALANCE,
    SCOPE_COUNTS,
    SEARCH_INDEX,
    SEARCH_STATISTICS,
    TAG_CHANGE,
    TRASH_PURGE,
)
from documents.services.access_requests import access_request_tell, access_requests_purge
from documents.services.counting import scope_counts_refresh
from documents.services.grants_ended import grants_expire
from documents.services.indexing import bodies_index, lexemes_refresh
from documents.services.invitations import invitations_purge
from documents.services.link_visits import link_visits_purge
from documents.services.positioning import positions_rebalance
from documents.services.trash import trash_purge_next
from documents.services.tree_jobs import reservation_end, reservations_sweep
from documents.services.tree_work import TREE_KINDS, tree_work
from documents.services.workspace_tags import tag_rewrite

_TREE_TIMEOUT = 1_800


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


@job_handler(SCOPE_COUNTS)
def scope_counts(run: JobRun) -> dict[str, int]:
    """Count anew what each scope holds, for the choice of plans."""
    return {"scopes": scope_counts_refresh(actor=run.actor)}


@job_handler(TRASH_PURGE)
def trash_purge(run: JobRun) -> dict[str, int]:
    """Remove what has lain in the trash for longer than its workspace keeps it."""
    purged = 0
    with _freed_if_cancelled(run):
        while (gone := trash_purge_next(actor=run.actor)) is not None:
            purged += gone
            run.progress(purged)
    # A tree that a hold keeps since it was reserved is due no longer.
    reservation_end(run.job.uid)
    return {"purged": purged}


@job_handler(LINK_VISITS_PURGE)
def purge_link_visits(run: JobRun) -> dict[str, int]:
    """Forget old visits of share links, with the addresses."""
    return {"purged": link_visits_purge()}


@job_handler(INVITATIONS_PURGE)
def purge_invitations(run: JobRun) -> dict[str, int]:
    """Delete invitations that ended long ago."""
    return {"purged": invitations_purge()}


@job_handler(POSITIONS_REBALANCE)
def rebalance_positions(run: JobRun) -> dict[str, int]:
    """Give siblings short keys again."""
    place = {name: run.payload[name] for name in ("workspace", "parent")}
    return {"changed": positions_rebalance(actor=run.actor, **place)}


@job_handler(TAG_CHANGE)
def tag_change(run: JobRun) -> dict[str, int]:
    """Put a tag in the place of another, or take it away, in the documents of a workspace."""
    place = {name: run.payload[name] for name in ("workspace", "tag", "into")}
    result = tag_rewrite(actor=run.actor, progress=run.progress, **place)
    return {"changed": result.changed, "left": result.left}


@contextlib.contextmanager
def _freed_if_cancelled(run: JobRun) -> Iterator[None]:
    """The workspaces that a job reserved are free as soon as it stops, without the sweep."""
    try:
        yield
    except JobCancelled:
        reservation_end(run.job.uid)
        raise


def _tree_handler(kind: str) -> None:
    # A subtree of a million documents is rewritten in minutes: the job's statements may take that long.
    @job_handler(kind, timeout=_TREE_TIMEOUT)
    def tree_change(run: JobRun) -> dict[str, Any]:
        """Change a large subtree in one transaction; cancelled before its end it has changed nothing."""
        with _freed_if_cancelled(run):
            return tree_work(actor=run.actor, kind=kind, payload=run.payload, check=run.check)


for _kind in sorted(TREE_KINDS):
    _tree_handler(_kind)
# Workers that were killed and jobs that were stopped free nothing by themselves.
scheduler_loop("documents.reservations", every=5)(reservations_sweep)
scheduler_loop("documents.grants_expire", every=2)(grants_expire)


@job_handler(ACCESS_REQUEST_TELL)
def tell_access_request(run: JobRun) -> dict[str, int]:
    """Tell those who may answer a request for access."""
    access_request_tell(request=uuid.UUID(run.payload["request"]))
    return {}


@job_handler(ACCESS_REQUESTS_PURGE)
def purge_access_requests(run: JobRun) -> dict[str, int]:
    """Delete requests for access that ended long ago."""
    return {"purged": access_requests_purge()}


schedule("documents.access_requests_purge", dt.timedelta(days=1), ACCESS_REQUESTS_PURGE)
schedule("documents.invitations_purge", dt.timedelta(days=1), INVITATIONS_PURGE)
schedule("documents.link_visits_purge", dt.timedelta(days=1), LINK_VISITS_PURGE)
schedule("documents.scope_counts", dt.timedelta(minutes=5), SCOPE_COUNTS)
schedule("documents.trash_purge", dt.timedelta(hours=1), TRASH_PURGE)
schedule("documents.search_index", dt.timedelta(minutes=1), SEARCH_INDEX)
schedule("documents.search_statistics", dt.timedelta(minutes=15), SEARCH_STATISTICS)
