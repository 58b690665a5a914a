"""Reads of jobs: the file that one made, the one that is open already, numbers for operators."""

from __future__ import annotations

import dataclasses
import datetime as dt
import uuid
from typing import Any

from django.db import models
from django.db.models import BooleanField, Count, ExpressionWrapper, F, Max, Q
from django.db.models.functions import Now

from cloudscribe.jobs.bell import QUEUES
from cloudscribe.jobs.exceptions import JobFileExpired
from cloudscribe.jobs.models import Job, JobFile, JobState
from cloudscribe.lib.errors import NotFound


@dataclasses.dataclass(frozen=True, slots=True)
class QueueStats:
    """One queue: how many jobs stand where, and how long the longest due one has waited."""

    queue: str
    queued: int
    running: int
    failed: int
    oldest_wait: dt.timedelta | None


def queue_stats() -> list[QueueStats]:
    """The numbers of every queue, whether it is quiet or not; one query."""
    unfinished = Job.objects.filter(state__in=[JobState.QUEUED, JobState.RUNNING, JobState.FAILED])
    wait = models.ExpressionWrapper(Now() - F("run_at"), output_field=models.DurationField())
    rows = unfinished.values("queue").annotate(
        queued=Count("pk", filter=Q(state=JobState.QUEUED)),
        running=Count("pk", filter=Q(state=JobState.RUNNING)),
        failed=Count("pk", filter=Q(state=JobState.FAILED)),
        oldest_wait=Max(wait, filter=Q(state=JobState.QUEUED, run_at__lte=Now())),
    )
    told = {row["queue"]: QueueStats(**row) for row in rows}
    quiet = {name: QueueStats(name, queued=0, running=0, failed=0, oldest_wait=None) for name in QUEUES}
    return [stats for _, stats in sorted({**quiet, **told}.items())]


def job_open(kind: str, actor_uid: uuid.UUID) -> Job | None:
    """The newest job of the kind that somebody asked for and that waits or runs."""
    waiting = Job.objects.filter(state__in=[JobState.QUEUED, JobState.RUNNING])
    return waiting.filter(kind=kind, actor_uid=actor_uid).order_by("-pk").first()


def job_file(job: Job) -> JobFile:
    """The file of a job that the caller may see. Raises NotFound, JobFileExpired by the database's clock."""
    expired = ExpressionWrapper(Q(expires_at__lte=Now()), output_field=BooleanField())
    rows: models.QuerySet[JobFile] = JobFile.objects.filter(job=job, job__state=JobState.SUCCEEDED)
    row: Any = rows.annotate(expired=expired).first()
    if row is None:
        raise NotFound
    if row.expired:
        raise JobFileExpired
    found: JobFile = row
    return found
