"""The background work of comments."""

from __future__ import annotations

import uuid

from cloudscribe.jobs.registry import job_handler
from cloudscribe.jobs.run import JobRun
from documents.queues import COMMENT_TELL
from documents.services.comment_news import comment_tell


@job_handler(COMMENT_TELL)
def tell_comment(run: JobRun) -> dict[str, int]:
    """Tell those whom a comment concerns."""
    comment_tell(actor=run.actor, comment=uuid.UUID(run.payload["comment"]))
    return {}
