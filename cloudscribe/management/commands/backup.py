"""`manage.py backup`: everything that makes this installation, in one file."""

from __future__ import annotations

import datetime as dt
import pathlib
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from audit.services import backup_record
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.backups.database import ToolFailed, dumped, owner_url
from cloudscribe.lib.backups.files import BackupWriter
from cloudscribe.lib.backups.keys import DATABASE, KEYS
from cloudscribe.lib.commands import FoundWrong, OperatorCommand, UsageError
from cloudscribe.lib.storage import files_are_here, incoming_folder


class Command(OperatorCommand):
    """Reads as the role that owns the tables; whoever uses the installation meanwhile notices nothing."""

    help = (
        "Write the database as of one moment, the files of attachments and archives, the checkpoints kept "
        "beside the database and the keys into one file, which `restore` takes. Nothing is left at PATH "
        "where it can't be whole. Keep it as you keep a key: whoever reads it reads everything."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("path", type=pathlib.Path, metavar="PATH", help="a file that isn't there yet")

    def run(self, actor: Actor, **options: Any) -> None:
        """Write it, and put on the record that it was."""
        path = pathlib.Path(options["path"]).absolute()
        if not path.parent.is_dir():
            raise UsageError(f"{path.parent} is no folder.")
        try:
            with BackupWriter(path) as writer:
                self._write(writer, path.parent)
        except FileExistsError as error:
            raise UsageError(f"{error}.") from error
        except (EOFError, OSError, ToolFailed) as error:
            raise FoundWrong(f"No backup was made: {error}") from error
        size = path.stat().st_size
        backup_record(actor=actor, size=size, parts=len(writer.parts))
        self.stdout.write(f"{path}: {len(writer.parts)} parts, {size} bytes. Whoever has it has the keys.")
        if not files_are_here():
            self.stderr.write("The files of attachments lie in a bucket; this is no backup of that.")

    def _write(self, writer: BackupWriter, folder: pathlib.Path) -> None:
        data = pathlib.Path(settings.DATA_DIR)
        # Before the database: a checkpoint of a later moment would say that the restored trail was cut.
        self._add(writer, data, sorted((data / "audit").glob("*")))
        with dumped(owner_url(), folder) as (script, size):
            writer.add(DATABASE, script, size)
        self._add(writer, data, [data / KEYS])
        # After it: what the database names is there, as no file is removed within a day of its last use.
        if files_are_here():
            media, unfinished = pathlib.Path(settings.MEDIA_ROOT), incoming_folder()
            files = [path for path in sorted(media.rglob("*")) if path.is_file()]
            self._add(writer, data, [path for path in files if unfinished not in path.parents])
        writer.finish(
            {
                "made_at": dt.datetime.now(dt.UTC).isoformat(),
                "release": settings.RELEASE,
                "keys": sorted(settings.KEY_RING.keys),
                "files": "local" if files_are_here() else "bucket",
            }
        )

    def _add(self, writer: BackupWriter, data: pathlib.Path, paths: list[pathlib.Path]) -> None:
        bar = self.progress(len(paths), "Files")
        for number, path in enumerate(paths, 1):
            writer.add_file(path.relative_to(data).as_posix(), path)
            bar.update(number)
