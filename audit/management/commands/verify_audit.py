"""`manage.py verify_audit`: whether the trail is still what was sealed."""

from __future__ import annotations

import argparse
import pathlib
from typing import Any

from audit.archives import archive_verify
from audit.checkpoints import BadNote, VerifierKey
from audit.findings import Report
from audit.selectors.log import log_keys
from audit.verifying import trail_verify
from audit.witness import keys_witnessed, notes_witnessed
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.commands import FoundWrong, OperatorCommand, UsageError


class Command(OperatorCommand):
    """Make every leaf and root anew and compare them with the seals and with checkpoints kept elsewhere."""

    help = (
        "Check every event of the audit trail against its leaf, the leaves against the signed checkpoints, "
        "and these against the ones that were kept beside the database. Exit code 1: `sequence N: altered`, "
        "`missing` or `cut` names each bad entry, the first one first."
    )

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """What to check, and what to trust beyond what the server itself keeps."""
        parser.add_argument(
            "--archive", type=pathlib.Path, metavar="PATH", help="check this NDJSON export and not the trail"
        )
        parser.add_argument(
            "--checkpoint",
            action="append",
            default=[],
            type=pathlib.Path,
            metavar="FILE",
            help="a signed checkpoint that you kept: the log must go on from it; more than once for several",
        )
        parser.add_argument(
            "--key",
            action="append",
            default=[],
            metavar="VKEY",
            help="trust only signatures of this verifier key, as `GET audit/keys/` showed it; likewise",
        )

    def run(self, actor: Actor, **options: Any) -> None:
        """Look, and say what was found."""
        try:
            keys = [VerifierKey.parse(text) for text in options["key"]]
        except BadNote as error:
            raise UsageError(f"--key: {error}.") from None
        try:
            report = (
                self._archive(options["archive"], keys) if options["archive"] else self._trail(options, keys)
            )
        except BadNote as error:
            raise FoundWrong(f"A checkpoint doesn't verify: {error}.") from None
        for finding in report.findings:
            self.stdout.write(f"{finding} ({finding.why})")
        if report.findings:
            raise FoundWrong(f"{report.findings[0]}: the first of {len(report.findings)} bad entries.")
        archived = f"; {report.archived} of them stand in archives" if report.archived else ""
        self.stdout.write(
            f"{report.entries} events are what was sealed, by {report.seals} seals and {report.notes} "
            f"checkpoints kept elsewhere{archived}; of {report.erased} the personal part was erased."
        )

    def _trail(self, options: dict[str, Any], keys: list[VerifierKey]) -> Report:
        bar = None

        def progress(done: int, total: int) -> None:
            nonlocal bar
            bar = bar or self.progress(total, "Verifying")
            bar.update(done)

        notes = [*notes_witnessed(), *map(_text, options["checkpoint"])]
        return trail_verify(notes, keys or None, progress)

    @staticmethod
    def _archive(path: pathlib.Path, keys: list[VerifierKey]) -> Report:
        try:
            return archive_verify(path, keys or [*log_keys(), *keys_witnessed()])
        except (OSError, EOFError) as error:
            raise UsageError(f"{path} can't be read: {error}") from None


def _text(path: pathlib.Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} can't be read: {error}") from None
