"""`manage.py archive_audit`: ranges of the trail that are old enough leave the database for files."""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

from django.conf import settings

from audit.selectors.archives import Span, spans_due
from audit.services.archiving import NotArchived, archiving_alone, span_archive
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.commands import FoundWrong, OperatorCommand


class Command(OperatorCommand):
    """Runs as the role that owns the tables: the application's may not take anything from the trail."""

    help = (
        "Move events that are older than CLOUDSCRIBE_AUDIT_RETENTION from the database to files in the "
        "storage, in ranges of a million that are sealed. Each file is read back and verified before its "
        "range is dropped, and each is on the record. Exit code 1 where a range that is due was not moved."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Whether to move or only to say."""
        parser.add_argument("--dry-run", action="store_true", help="only say which ranges would go")

    def run(self, actor: Actor, **options: Any) -> None:
        """Range by range, the oldest first."""
        if not settings.AUDIT_RETENTION:
            self.stdout.write("CLOUDSCRIBE_AUDIT_RETENTION is 0: events stay for ever.")
            return
        due = spans_due(dt.timedelta(seconds=settings.AUDIT_RETENTION))
        if options["dry_run"]:
            lines: Iterator[str] = (f"{_name(span)} would go." for span in due)
        else:
            lines = self._archived(actor, due)
        first = next(lines, "No range is due.")
        for line in itertools.chain([first], lines):
            self.stdout.write(line)

    def _archived(self, actor: Actor, due: Iterable[Span]) -> Iterator[str]:
        try:
            with archiving_alone():
                for span in due:
                    yield self._archive(actor, span)
        except NotArchived as error:
            raise FoundWrong(f"Not archived: {error}. Nothing of it is gone; run it again.") from error

    def _archive(self, actor: Actor, span: Span) -> str:
        bar = self.progress(span.last - span.first + 1, "Archiving")
        archive = span_archive(actor=actor, span=span, progress=bar.update)
        return (
            f"{_name(span)}: {archive.events} events in {archive.path}, {archive.size} bytes, "
            f"SHA-256 {bytes(archive.sha256).hex()}."
        )


def _name(span: Span) -> str:
    return f"Sequences {span.first} to {span.last}"
