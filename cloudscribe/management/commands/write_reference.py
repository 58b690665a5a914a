"""`manage.py write_reference`: bring the generated parts of the documentation up to date."""

from __future__ import annotations

import argparse
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from cloudscribe.lib.commands import FoundWrong
from cloudscribe.management.reference import codes_list, spliced, variables_table

GENERATED = {
    "README.md": ("configuration", variables_table),
    "docs/errors.md": ("codes", codes_list),
}


class Command(BaseCommand):
    """Write what is made from code into README.md and docs/."""

    help = (
        "Write the configuration table of README.md and the codes of docs/errors.md from the code. "
        "With --check nothing is written, and the exit code is 1 where a page is out of date."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """`--check`."""
        parser.add_argument("--check", action="store_true", help="Only say whether the pages are current.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write, or compare; raises FoundWrong."""
        stale = []
        for path, (name, make) in GENERATED.items():
            page = settings.BASE_DIR / path
            text = page.read_text(encoding="utf-8")
            wanted = spliced(text, name, make())
            if wanted == text:
                continue
            stale.append(path)
            if not options["check"]:
                page.write_text(wanted, encoding="utf-8")
        if stale and options["check"]:
            raise FoundWrong(f"Out of date, run `manage.py write_reference`: {', '.join(stale)}.")
        for path in stale:
            self.stdout.write(f"{path} written")
