"""`manage.py export_workspace`: all documents of a workspace in a zip of Markdown files."""

from __future__ import annotations

import pathlib
from typing import Any

from django.core.management.base import CommandParser

from cloudscribe.lib.actor import Actor
from cloudscribe.lib.commands import FoundWrong, OperatorCommand, UsageError
from documents.exporting.writing import Export
from documents.models import Document, Workspace
from documents.services.exporting import workspace_export_record


class Command(OperatorCommand):
    """Whatever is not in the trash, whoever may see it."""

    help = (
        "Write the documents of a workspace and their files into a zip: folders as they stand below each "
        "other, links from file to file, SUMMARY.md, and documents.json with all that Markdown has no place "
        "for. `import_documents` takes it, unpacked. Exit code 1: the storage hadn't all files."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What, and where to."""
        parser.add_argument("workspace", metavar="SLUG")
        parser.add_argument("path", type=pathlib.Path, metavar="PATH", help="a file that isn't there yet")

    def run(self, actor: Actor, **options: Any) -> None:
        """Write it, and put on the record that it was."""
        room = Workspace.objects.filter(slug=options["workspace"]).first()
        if room is None:
            raise UsageError(f"There is no workspace {options['workspace']}.")
        path = options["path"]
        try:
            result = self._write(path, room, actor)
        except FileExistsError as error:
            raise UsageError(f"{path} is there already.") from error
        except (FileNotFoundError, NotADirectoryError) as error:
            raise UsageError(f"{path.parent} is no folder.") from error
        workspace_export_record(actor=actor, workspace=room)
        self.stdout.write(f"{path}: {result['documents']} documents, {result['files']} files.")
        for name in result["missing"]:
            self.stderr.write(f"{name}: missing in the storage")
        if result["missing"]:
            raise FoundWrong(f"{len(result['missing'])} files are missing.")

    def _write(self, path: pathlib.Path, room: Workspace, actor: Actor) -> dict[str, Any]:
        bar = None

        def progress(done: int, total: int) -> None:
            nonlocal bar
            bar = bar or self.progress(total, "Exporting")
            bar.update(done)

        kept = Document.objects.filter(workspace=room, trashed_at__isnull=True)
        with path.open("xb") as archive:
            try:
                return Export(archive, kept.all, actor.now).write(progress)
            except BaseException:
                path.unlink()
                raise
