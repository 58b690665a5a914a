"""`manage.py purge_trash`: what has lain in the trash longer than its workspace keeps it goes for good."""

from __future__ import annotations

import argparse
from typing import Any

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.commands import OperatorCommand
from documents.selectors.trash import trash_due
from documents.services.trash import trash_purge_next


class Command(OperatorCommand):
    """The schedule does the same every hour."""

    help = "Remove what has lain in the trash for longer than its workspace keeps it."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Whether to remove or only to say."""
        parser.add_argument("--dry-run", action="store_true", help="only say how many trees would go")

    def run(self, actor: Actor, **options: Any) -> None:
        """Purge tree by tree, each in a transaction of its own."""
        due = trash_due().count()
        if options["dry_run"]:
            self.stdout.write(f"{due} would be purged.")
            return
        bar, purged = self.progress(due, "Purging"), 0
        while (gone := trash_purge_next(actor=actor)) is not None:
            purged += gone
            bar.update(purged)
        self.stdout.write(f"{purged} purged.")
