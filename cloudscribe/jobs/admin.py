"""Staff's view of background work, with the two things that a person can do about it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.decorators import display

from cloudscribe.jobs.models import Job
from cloudscribe.jobs.services import job_cancel, job_retry
from cloudscribe.lib.admin import StaffAdmin, each

STATE_COLOURS = {
    "queued": "info",
    "running": "warning",
    "succeeded": "success",
    "failed": "danger",
}


@admin.register(Job)
class JobAdmin(StaffAdmin):
    """Jobs, newest first. The payload is left out: it holds ids and addresses that staff need not see."""

    list_display = (
        "kind",
        "shown_state",
        "queue",
        "attempts",
        "error_code",
        "created_at",
        "started_at",
        "finished_at",
    )
    list_filter = ("state", "queue", "kind")
    search_fields = ("=uid", "=kind", "=request_id")
    ordering = ("-id",)
    actions = ("retry", "cancel")
    fieldsets = (
        (None, {"fields": ("uid", "kind", "queue", "state", "progress_done", "progress_total")}),
        ("Tries", {"fields": ("attempts", "run_at", "lease_until", "claimed_by", "cancel_requested_at")}),
        ("Outcome", {"fields": ("error_code", "error", "started_at", "finished_at")}),
        ("Origin", {"fields": ("actor_uid", "request_id", "created_at")}),
    )

    @display(description="State", label=STATE_COLOURS, ordering="state")
    def shown_state(self, job: Job) -> str:
        """As a coloured label."""
        return job.state

    def has_manage_permission(self, request: HttpRequest) -> bool:
        """Who may retry and cancel."""
        return bool(request.user.has_perm("jobs.manage_jobs"))

    @admin.action(description="Try again", permissions=["manage"])
    def retry(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Put failed and cancelled jobs back into their queue."""
        each(request, rows, lambda actor, job: job_retry(actor=actor, job=job), "Queued again")

    @admin.action(description="Cancel", permissions=["manage"])
    def cancel(self, request: HttpRequest, rows: QuerySet[Any]) -> None:
        """Cancel what waits at once, what runs at its next step."""
        each(request, rows, lambda actor, job: job_cancel(actor=actor, job=job), "Cancelled")
