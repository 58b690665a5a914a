"""`manage.py expire_revisions`: old bodies that their workspaces keep no longer go for good."""

from __future__ import annotations

import argparse
from typing import Any

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.commands import OperatorCommand
from documents.services.expiring import revisions_expire, revisions_expiring


class Command(OperatorCommand):
    """The schedule does the same every day."""

    help = "Remove the bodies of revisions that workspaces keep no longer (policy revision_retention_days)."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Whether to remove or only to say."""
        parser.add_argument("--dry-run", action="store_true", help="only say how many bodies would go")

    def run(self, actor: Actor, **options: Any) -> None:
        """Document by document, each in transactions of its own."""
        if options["dry_run"]:
            due = revisions_expiring(actor=actor)
            self.stdout.write(f"{due.revisions} of {due.documents} documents would go.")
            return
        gone = revisions_expire(actor=actor, progress=lambda _: None)
        self.stdout.write(f"{gone.revisions} of {gone.documents} documents gone.")
