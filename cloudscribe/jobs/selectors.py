"""Numbers about jobs, for operators."""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.db import models
from django.db.models import Count, F, Max, Q
from django.db.models.functions import Now

from cloudscribe.jobs.models import Job, JobState


@dataclasses.dataclass(frozen=True, slots=True)
class QueueStats:
    """One queue: how many jobs stand where, and how long the longest due one has waited."""

    queue: str
    queued: int
    running: int
    failed: int
    oldest_wait: dt.timedelta | None


def queue_stats() -> list[QueueStats]:
    """The numbers of every queue that has unfinished or failed jobs; one query."""
    unfinished = Job.objects.filter(state__in=[JobState.QUEUED, JobState.RUNNING, JobState.FAILED])
    wait = models.ExpressionWrapper(Now() - F("run_at"), output_field=models.DurationField())
    rows = (
        unfinished.values("queue")
        .annotate(
            queued=Count("pk", filter=Q(state=JobState.QUEUED)),
            running=Count("pk", filter=Q(state=JobState.RUNNING)),
            failed=Count("pk", filter=Q(state=JobState.FAILED)),
            oldest_wait=Max(wait, filter=Q(state=JobState.QUEUED, run_at__lte=Now())),
        )
        .order_by("queue")
    )
    return [QueueStats(**row) for row in rows]
