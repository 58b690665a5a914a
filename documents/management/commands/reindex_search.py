"""`manage.py reindex_search`: make anew what is read out of bodies."""

from __future__ import annotations

import argparse
from typing import Any

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.commands import OperatorCommand
from documents.models import DocumentBody
from documents.services.indexing import bodies_index, lexemes_refresh


class Command(OperatorCommand):
    """Make search vectors, references and the table of words."""

    help = (
        "Make the search vectors and the references (backlinks) of all documents anew, and count their words."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """What narrows the work."""
        parser.add_argument("--pending", action="store_true", help="only documents without a vector")
        parser.add_argument("--dry-run", action="store_true", help="only say how many there are")

    def run(self, actor: Actor, **options: Any) -> None:
        """Batches that are a transaction each; can be stopped and run again at any time."""
        bodies = DocumentBody.objects.all()
        if options["pending"]:
            bodies = bodies.filter(search_vector__isnull=True)
        total = bodies.count()
        if options["dry_run"]:
            self.stdout.write(f"{total} documents to index.")
            return
        bar = self.progress(total, "Indexing")
        done, last = 0, 0
        while True:
            indexed, last = bodies_index(actor=actor, after=last, pending=options["pending"])
            if not indexed:
                break
            done += indexed
            bar.update(done)
        words = lexemes_refresh(actor=actor, force=True)
        self.stdout.write(f"{done} documents indexed, {words} words counted.")
