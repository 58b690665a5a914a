"""`manage.py jobs`: what operators ask about jobs and do to them at the shell."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser

from cloudscribe.jobs.models import Job, JobState
from cloudscribe.jobs.selectors import queue_stats
from cloudscribe.jobs.services import job_cancel, job_retry
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.commands import FoundWrong, OperatorCommand, UsageError
from cloudscribe.lib.errors import DomainError

# So many jobs are listed where no number is given.
_NEWEST = 50


class Command(OperatorCommand):
    """List, retry and cancel jobs, or show the queues."""

    help = "Show and steer background jobs. Exit code 1: failed jobs were found, or an act was refused."

    def add_arguments(self, parser: CommandParser) -> None:
        """One subcommand each."""
        actions = parser.add_subparsers(dest="action")
        parser.set_defaults(action="list", state=None, kind=None, limit=_NEWEST)
        listing = actions.add_parser("list", help="the newest jobs; what is done where nothing is said")
        listing.add_argument("--state", choices=JobState.values)
        listing.add_argument("--kind")
        listing.add_argument("--limit", type=int, default=_NEWEST)
        retry = actions.add_parser("retry", help="queue failed or cancelled jobs again")
        retry.add_argument("jobs", nargs="*", type=uuid.UUID, help="ids of jobs")
        retry.add_argument("--failed", action="store_true", help="all failed ones")
        retry.add_argument("--kind", help="with --failed: of this kind alone")
        cancel = actions.add_parser("cancel", help="cancel queued or running jobs")
        cancel.add_argument("jobs", nargs="+", type=uuid.UUID, help="ids of jobs")
        actions.add_parser("stats", help="the queues in numbers")

    def run(self, actor: Actor, **options: Any) -> None:
        """Do the one that was asked for."""
        actions = {"list": self._list, "retry": self._retry, "cancel": self._cancel, "stats": self._stats}
        actions[options["action"]](actor, options)

    def _list(self, actor: Actor, options: dict[str, Any]) -> None:
        rows = Job.objects.order_by("-id")
        for name in ("state", "kind"):
            if options[name]:
                rows = rows.filter(**{name: options[name]})
        for job in rows[: options["limit"]]:
            self.stdout.write(
                f"{job.uid}  {job.state:9}  {job.queue}  {job.kind:28}  tries {job.attempts}  "
                f"{job.created_at:%Y-%m-%d %H:%M:%S}  {job.error_code}"
            )

    def _retry(self, actor: Actor, options: dict[str, Any]) -> None:
        if options["failed"] == bool(options["jobs"]):
            raise UsageError("Name the jobs or give --failed.")
        uids = options["jobs"]
        if options["failed"]:
            failed = Job.objects.filter(state=JobState.FAILED)
            failed = failed.filter(kind=options["kind"]) if options["kind"] else failed
            uids = list(failed.order_by("id").values_list("uid", flat=True))
        self._each(uids, lambda job: job_retry(actor=actor, job=job))

    def _cancel(self, actor: Actor, options: dict[str, Any]) -> None:
        self._each(options["jobs"], lambda job: job_cancel(actor=actor, job=job))

    def _each(self, uids: list[uuid.UUID], act: Callable[[Job], Job]) -> None:
        refused = 0
        for uid in uids:
            job = Job.objects.filter(uid=uid).first()
            try:
                outcome = act(job).state if job else "not found"
                refused += not job
            except DomainError as error:
                refused += 1
                outcome = error.message
            self.stdout.write(f"{uid}  {outcome}")
        if refused:
            raise FoundWrong(f"{refused} of {len(uids)} jobs were left as they are.")

    def _stats(self, actor: Actor, options: dict[str, Any]) -> None:
        failed = 0
        for stats in queue_stats():
            failed += stats.failed
            wait = stats.oldest_wait.total_seconds() if stats.oldest_wait else 0.0
            self.stdout.write(
                f"{stats.queue}: {stats.queued} queued (the oldest due for {wait:.0f} s), "
                f"{stats.running} running, {stats.failed} failed"
            )
        if failed:
            raise FoundWrong(f"{failed} jobs have failed.")
