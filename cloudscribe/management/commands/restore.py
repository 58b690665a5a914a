"""`manage.py restore`: what `backup` wrote becomes an installation again."""

from __future__ import annotations

import pathlib
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import CommandParser

from accounts.models import User
from accounts.services import sessions_ended_record
from accounts.services.restoring import ACCESS_END_SQL, NAMES_FORGET_SQL
from audit.models import Event
from audit.services import log_continue
from audit.services.restoring import EPOCH_RAISE_SQL
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.backups.database import ToolFailed, is_empty, load, owner_url
from cloudscribe.lib.backups.files import BackupBroken, BackupReader
from cloudscribe.lib.backups.keys import DATABASE, FOLDERS, path_argument
from cloudscribe.lib.commands import FoundWrong, OperatorCommand, UsageError
from documents.models import Document, Workspace
from documents.selectors.blobs import blobs_without_a_file
from security.models import ReadOnly

_ADVICE = (
    "Everybody signs in again. What was revoked after the backup was made works again: look through tokens, "
    "share links and grants, and rotate the keys if you have to (`rotate_keys`)."
)
_FROZEN = (
    "The backup was made of a read-only installation, and this one is read-only, too: "
    "`manage.py read_only off` lets people write."
)


class Command(OperatorCommand):
    """Runs as the role that owns the tables, on servers that hold nothing yet.

    Before it begins, manage.py has checked the file and put the keys in place: settings need keys.
    """

    help = (
        "Read a backup into an empty CLOUDSCRIBE_DATA, and where DATABASE_URL names a server of yours, into "
        "an empty database. Every part is checked before anything is written. All sessions end, versions of "
        "documents that clients hold are void, and the audit log goes on under a name of its own."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """What, and whether to look at it afterwards."""
        path_argument(parser)
        parser.add_argument(
            "--verify",
            action="store_true",
            help="then verify the audit trail, who sees what, and that every file is there; exit code 1 "
            "where something is wrong",
        )

    def run(self, actor: Actor, **options: Any) -> None:
        """Restore, and make it another epoch."""
        url = owner_url()
        if not is_empty(url):
            raise UsageError("The database isn't empty: a backup goes into a new one.")
        try:
            with BackupReader(options["path"]) as backup:
                ended = self._restore(backup, url)
        except (BackupBroken, OSError, ToolFailed) as error:
            raise FoundWrong(
                f"Not restored: {error}\nEmpty CLOUDSCRIBE_DATA before you try again."
            ) from error
        # An older backup is brought up to date; and the application's role gets its rights.
        call_command("migrate", interactive=False, verbosity=0)
        log_continue(actor=actor)
        sessions_ended_record(actor=actor, ended=ended)
        self.stdout.write(
            f"{Workspace.objects.count()} workspaces, {Document.objects.count()} documents, "
            f"{User.objects.count()} accounts, {Event.objects.count()} events. {_ADVICE}"
        )
        if ReadOnly.objects.exists():
            self.stdout.write(_FROZEN)
        if options["verify"]:
            self._verify()

    def _restore(self, backup: BackupReader, url: str) -> int:
        """The number of sessions that it ended."""
        release = str(backup.about.get("release", ""))
        if _order(release) > _order(settings.RELEASE):
            raise UsageError(f"The backup is of CloudScribe {release}: install that first.")
        missing = backup.keys - set(settings.KEY_RING.keys)
        if missing:
            raise UsageError(f"CLOUDSCRIBE_KEYS lacks keys of the backup: {', '.join(sorted(missing))}.")
        data = pathlib.Path(settings.DATA_DIR)
        files = [name for name in backup.parts if name.partition("/")[0] in FOLDERS]
        bar = self.progress(len(files), "Files")
        for number, name in enumerate(files, 1):
            target = (data / name).resolve()
            if (data / name.partition("/")[0]).resolve() not in target.parents:
                raise BackupBroken(f"{name} would lie outside its folder.")
            backup.extract(name, target)
            bar.update(number)
        # In one transaction with the data: nothing is ever served under the old number or to old sessions.
        afterwards = EPOCH_RAISE_SQL + NAMES_FORGET_SQL + ACCESS_END_SQL
        return int(load(url, backup.pieces(DATABASE), afterwards=afterwards))

    def _verify(self) -> None:
        call_command("verify_audit", stdout=self.stdout, stderr=self.stderr)
        call_command("check_access", stdout=self.stdout, stderr=self.stderr)
        lost = list(blobs_without_a_file())
        for blob in lost:
            self.stdout.write(f"file {blob.digest}: missing in the storage")
        if lost:
            raise FoundWrong(f"{len(lost)} files are missing.")
        self.stdout.write("Every file is there.")


def _order(release: str) -> list[int]:
    """By which releases are compared; what is no release is older than all."""
    parts = release.split(".")
    return [int(part) for part in parts] if all(part.isdecimal() for part in parts) else []
