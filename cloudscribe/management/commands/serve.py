"""`manage.py serve`: what `make run` starts, for an environment that is installed already."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Hand this process over to the supervisor, which doesn't import Django."""

    help = "Migrate, then run the web server, the workers and the scheduler under one supervisor."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Never returns."""
        os.execv(sys.executable, [sys.executable, "-m", "cloudscribe.lib.supervisor"])  # noqa: S606 (our own module)
