"""Staff's view of background work, with the two things that a person can do about it."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django_rq.models import Dashboard
from unfold.decorators import display

from cloudscribe.jobs.admin_queues import QueuesAdmin
from cloudscribe.jobs.models import Job, JobFile
from cloudscribe.jobs.services import job_cancel, job_retry
from cloudscribe.lib.admin import StaffAdmin, each

admin.site.register(Dashboard, QueuesAdmin)

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


class ExpiryFilter(admin.SimpleListFilter):
    """Files that can still be had, or those that wait for the next purge."""

    title = "expiry"
    parameter_name = "expired"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The two choices."""
        return [("no", "Still there"), ("yes", "Expired")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        """The chosen ones, by the database's clock."""
        if self.value() not in {"yes", "no"}:
            return queryset
        return (
            queryset.filter(expires_at__gt=Now())
            if self.value() == "no"
            else queryset.filter(expires_at__lte=Now())
        )


@admin.register(JobFile)
class JobFileAdmin(StaffAdmin):
    """What files jobs have left, how large and for how long; never what is in them, nor where they lie.

    There is no download: files go through the API, which asks who made them and records who takes them.
    """

    list_display = ("name", "shown_job", "shown_size", "media_type", "personal", "created_at", "expires_at")
    list_filter = (ExpiryFilter, "personal")
    list_select_related = ("job",)
    search_fields = ("=job__uid", "=job__kind")
    ordering = ("-id",)
    fieldsets = (
        (None, {"fields": ("name", "shown_job", "media_type", "shown_size", "shown_sha256", "personal")}),
        ("Life", {"fields": ("created_at", "expires_at")}),
    )

    @display(description="Job", ordering="job__kind")
    def shown_job(self, file: JobFile) -> str:
        """Its kind, which leads to its page."""
        page = reverse("admin:jobs_job_change", args=[file.job_id])
        return format_html('<a href="{}">{}</a>', page, file.job.kind)

    @display(description="Size", ordering="size")
    def shown_size(self, file: JobFile) -> str:
        """In the unit that suits it."""
        return filesizeformat(file.size)

    @display(description="SHA-256")
    def shown_sha256(self, file: JobFile) -> str:
        """As other tools write it."""
        return bytes(file.sha256).hex()
