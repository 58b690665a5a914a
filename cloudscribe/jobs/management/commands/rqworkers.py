"""`manage.py rqworkers`: the workers of both queues, forked from one preloaded parent."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from cloudscribe.jobs.pool import WorkerPool


class Command(BaseCommand):
    """Run one RQ worker a queue until told to stop."""

    help = (
        "Run the background workers, one for each queue (fast, slow). What dies is started again. On SIGTERM "
        "running jobs get 25 seconds to finish; those that don't are given back."
    )
    # The checks' queries would open a connection before the fork.
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until SIGTERM or SIGINT."""
        WorkerPool().run()
