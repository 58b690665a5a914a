"""`manage.py migrate`: Django's, by one process at a time."""

from __future__ import annotations

from typing import Any

from django.core.management.commands import migrate

from cloudscribe.management.alone import prepared_alone


class Command(migrate.Command):
    """Bring the schema up to date; whoever comes second waits and finds it done."""

    def handle(self, *args: Any, **options: Any) -> None:
        """As Django's; to look at what is due waits for nobody."""
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        with prepared_alone(self.stderr.write):
            super().handle(*args, **options)
