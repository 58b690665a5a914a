"""`manage.py scheduler`: the process that looks after leases, schedules and bells."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from cloudscribe.jobs.scheduler import Scheduler


class Command(BaseCommand):
    """Run the scheduler until told to stop."""

    help = (
        "Queue scheduled jobs, take over jobs whose worker died, ring for jobs nobody claimed, and do due "
        "jobs itself while Redis is gone. Several may run at once."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Work until SIGTERM or SIGINT."""
        Scheduler().run()
