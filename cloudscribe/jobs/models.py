"""The Job table: the truth about background work. Redis only rings."""

from __future__ import annotations

import datetime as dt

from django.db import models
from django.db.models.functions import Now

from cloudscribe.lib.fields import UidField


class JobState(models.TextChoices):
    """Where a job stands. A job that waits for its next try is queued."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(models.Model):
    """One piece of work, its claim and its outcome.

    `attempts` counts the claims and is the fence: whoever writes to a running job names the number under
    which it claimed it, so that a worker that lost its lease changes nothing. `attempts_forgiven` are those
    that don't count towards the last one: given back by a worker that was told to stop, or before a retry by
    hand. `actor` is who asked (`ports.StoredActor`); the rights are rebuilt at the claim.
    """

    # The database's clock, where a statement brings it along: the claim and the search for expired leases.
    now: dt.datetime

    uid = UidField()
    kind = models.CharField(max_length=64)
    queue = models.CharField(max_length=16)
    payload = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=JobState, default=JobState.QUEUED)
    run_at = models.DateTimeField()
    dedupe_key = models.CharField(max_length=200, null=True)  # noqa: DJ001 (NULL = no key, outside the unique index)
    actor = models.JSONField()
    actor_uid = models.UUIDField(null=True)
    request_id = models.CharField(max_length=80, blank=True)
    attempts = models.IntegerField(default=0)
    attempts_forgiven = models.IntegerField(default=0)
    lease_until = models.DateTimeField(null=True)
    claimed_by = models.CharField(max_length=120, blank=True)
    cancel_requested_at = models.DateTimeField(null=True)
    progress_done = models.BigIntegerField(default=0)
    progress_total = models.BigIntegerField(null=True)
    result = models.JSONField(null=True)
    error_code = models.CharField(max_length=64, blank=True)
    error = models.TextField(blank=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)

    class Meta:
        permissions = [
            ("view_all_jobs", "Can see everybody's jobs"),
            ("manage_jobs", "Can cancel and retry any job"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["dedupe_key"], condition=models.Q(state="queued"), name="jobs_job_dedupe"
            ),
            models.CheckConstraint(condition=models.Q(state__in=JobState.values), name="jobs_job_state"),
            models.CheckConstraint(
                condition=~models.Q(state="running") | models.Q(lease_until__isnull=False),
                name="jobs_job_lease",
            ),
        ]
        indexes = [
            models.Index(
                fields=["queue", "run_at"], condition=models.Q(state="queued"), name="jobs_job_due_in_queue"
            ),
            models.Index(fields=["lease_until"], condition=models.Q(state="running"), name="jobs_job_leases"),
            models.Index(fields=["actor_uid", "-id"], name="jobs_job_own"),
            models.Index(
                fields=["finished_at"],
                condition=models.Q(finished_at__isnull=False),
                name="jobs_job_finished",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.uid}"


class Schedule(models.Model):
    """The newest slot of each schedule that was turned into a job: who moves the row on owns the slot."""

    name = models.CharField(max_length=100, primary_key=True)
    slot = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class JobFile(models.Model):
    """A file that a job made, in the storage under `path`, for whoever asked for it until it expires.

    One that is `personal` is for them alone, whoever may see all jobs.
    """

    id = models.BigAutoField(primary_key=True)
    job = models.OneToOneField(Job, on_delete=models.CASCADE, related_name="file")
    path = models.CharField(max_length=200, unique=True)
    name = models.CharField(max_length=200, help_text="What it is called where it is downloaded.")
    media_type = models.CharField(max_length=100)
    size = models.BigIntegerField()
    sha256 = models.BinaryField(max_length=32)
    personal = models.BooleanField(default=False, db_default=False)
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    expires_at = models.DateTimeField()

    class Meta:
        indexes = [models.Index(fields=["expires_at"], name="jobs_jobfile_expiry")]

    def __str__(self) -> str:
        return self.name
