"""The jobs about jobs: ended ones and the files that they made are removed after a while."""

from __future__ import annotations

import datetime as dt

from django.conf import settings
from django.db.models.functions import Now

from cloudscribe.jobs.files import job_files_remove
from cloudscribe.jobs.models import Job, JobFile
from cloudscribe.jobs.queues import PURGE
from cloudscribe.jobs.registry import job_handler, schedule
from cloudscribe.jobs.run import JobRun

_BATCH = 1000


@job_handler(PURGE)
def purge(run: JobRun) -> dict[str, int]:
    """Remove expired files, then jobs that ended longer ago than the retention, in batches."""
    expired = JobFile.objects.filter(expires_at__lte=Now()).order_by("expires_at")
    files = 0
    while batch := list(expired[:_BATCH]):
        files += job_files_remove(files=batch)
        run.progress(files)
    old = Job.objects.filter(finished_at__lt=Now() - dt.timedelta(seconds=settings.JOB_RETENTION))
    removed = 0
    while keys := list(old.order_by("finished_at").values_list("pk", flat=True)[:_BATCH]):
        files += job_files_remove(files=JobFile.objects.filter(job__in=keys))
        removed += Job.objects.filter(pk__in=keys).delete()[0]
        run.progress(removed)
    return {"removed": removed, "files": files}


schedule("jobs.purge", dt.timedelta(hours=1), PURGE)
