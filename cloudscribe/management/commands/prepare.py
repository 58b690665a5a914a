"""`manage.py prepare`: what must be done before anything is served, in one process."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection


class Command(BaseCommand):
    """`migrate` as the role that owns the tables, then `bootstrap` as the one that the application has."""

    help = (
        "Migrate as the owner role, then do what `bootstrap` does as the application's. The last line of the "
        "standard output is that command's."
    )
    requires_system_checks: list[str] = []  # `migrate` asks them all

    def handle(self, *args: Any, **options: Any) -> None:
        """Both in order; the second is left out where the first fails."""
        call_command("migrate", interactive=False, verbosity=0, skip_checks=False)
        # What follows must not be able to do more than the application can.
        connection.close()
        connection.settings_dict.update(settings.APP_DATABASE)
        call_command("bootstrap", stdout=self.stdout)
