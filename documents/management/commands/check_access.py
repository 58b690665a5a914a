"""`manage.py check_access`: whether what decides who sees what is what it should be."""

from __future__ import annotations

import argparse
from typing import Any

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.commands import FoundWrong, OperatorCommand
from documents.exceptions import WorkspaceBusy
from documents.models import Workspace
from documents.selectors.derived import circles_in, differences_in
from documents.services.mending import access_mend_next


class Command(OperatorCommand):
    """Work out anew what documents derive from their place."""

    help = (
        "Work out path, depth, reach and scope of every document from parents, cuts and states alone, and "
        "name each document that says something else. Exit code 1: some are wrong, and without --fix they "
        "stay so."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Whether to mend."""
        parser.add_argument("--fix", action="store_true", help="mend what is wrong")

    def run(self, actor: Actor, **options: Any) -> None:
        """Workspace by workspace, each as of one moment."""
        rooms = list(Workspace.objects.order_by("pk"))
        bar, wrong, left = self.progress(len(rooms), "Checking"), 0, 0
        for number, room in enumerate(rooms, 1):
            found = self._name(room)
            wrong += found
            if found and not (options["fix"] and self._mend(actor, room)):
                left += found
            bar.update(number)
        if left:
            raise FoundWrong(f"{left} documents are wrong." if not options["fix"] else f"{left} were left.")
        self.stdout.write(f"{len(rooms)} workspaces are right." + (f" {wrong} mended." if wrong else ""))

    def _name(self, room: Workspace) -> int:
        """Name what is wrong; how much that is."""
        differences, circles = differences_in(room.pk), circles_in(room.pk)
        for difference in differences:
            columns = ", ".join(difference.columns)
            self.stdout.write(f"document {difference.uid} in {room.slug}: {columns}")
        for circle in circles:
            self.stdout.write(f"document {circle.uid} in {room.slug}: stands below itself")
        return len(differences) + len(circles)

    def _mend(self, actor: Actor, room: Workspace) -> bool:
        """Mend in batches that are a transaction each; False where a job is at work there."""
        try:
            while access_mend_next(actor=actor, workspace=room):
                pass
        except WorkspaceBusy:
            self.stderr.write(f"{room.slug} is being rearranged; try again when that has ended.")
            return False
        return True
