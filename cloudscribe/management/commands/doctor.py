"""`manage.py doctor`: is everything that CloudScribe needs there, and if not, what to do."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from cloudscribe.lib.commands import FoundWrong
from cloudscribe.management.health import Verdict, diagnose


class Command(BaseCommand):
    """Print one line for each dependency and setting; exit 1 if something does not work."""

    help = "Check every dependency and setting and say what to do. Exits 1 if something does not work."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Run all checks, even after a failure, so that one call tells everything."""
        failed = 0
        for finding in diagnose():
            failed += finding.verdict is Verdict.FAIL
            self.stdout.write(f"{finding.verdict:<5}{finding.subject}: {finding.detail}")
            if finding.remedy:
                self.stdout.write(f"     -> {finding.remedy}")
        if failed:
            raise FoundWrong(f"{failed} of the above must be mended.")
