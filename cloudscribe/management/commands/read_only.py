"""`manage.py read_only`: freeze the installation, so that people read on and nothing changes."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any

from django.core.management.base import CommandParser

from accounts.selectors import database_now
from cloudscribe.lib.actor import Actor
from cloudscribe.lib.commands import FoundWrong, OperatorCommand, UsageError
from cloudscribe.lib.embedded.processes import wait_until
from cloudscribe.management.underway import underway
from security import read_only
from security.models import ReadOnly
from security.services import read_only_end, read_only_start

_LONGEST_REASON = 500
_LONGEST_WAIT = 86_400
_POLL_SECONDS = 0.25
# By then every process knows, also where the one who froze it was killed before it had waited.
_LONG_KNOWN = dt.timedelta(minutes=1)


class Command(OperatorCommand):
    """It ends when nothing more will be written, or says what is still at work."""

    help = (
        "Before a move, an upgrade or a look at damage: `on` refuses every change (503 read_only) while "
        "people sign in and read on; jobs, schedules and webhook deliveries wait. It returns when what was "
        "under way has ended, with exit code 1 where that takes longer than --wait: then run it again. It "
        "stands until `off`, over restarts, too. Commands at the shell are not held back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """Which way, why, and how patiently."""
        parser.add_argument("state", choices=["on", "off"])
        parser.add_argument("--reason", default=None, help="told to whoever is refused, signed in or not")
        parser.add_argument(
            "--wait",
            type=int,
            default=60,
            metavar="SECONDS",
            help="how long to wait for jobs and transactions that were under way (60)",
        )

    def run(self, actor: Actor, **options: Any) -> None:
        """Freeze or thaw."""
        if options["state"] == "off":
            self._end(actor, options["reason"])
            return
        if not 0 <= options["wait"] <= _LONGEST_WAIT:
            raise UsageError(f"--wait is a number of seconds up to {_LONGEST_WAIT}.")
        row, made = read_only_start(actor=actor, reason=_sentence(options["reason"] or ""))
        if made:
            self.stdout.write("Read-only is on. Waiting for what is under way.")
        else:
            self._say_standing(row, options["reason"])
        self.stdout.flush()
        if made or actor.now - row.since < _LONG_KNOWN:
            time.sleep(read_only.SETTLED)
        self._wait(options["wait"])
        self.stdout.write(
            "Nothing is changed from now on; people read on, jobs and deliveries wait for `off`."
        )

    def _say_standing(self, row: ReadOnly, reason: str | None) -> None:
        because = f", because: {row.reason}" if row.reason else ""
        self.stdout.write(
            f"Read-only is on already, since {row.since.isoformat(timespec='seconds')}{because}"
        )
        if reason is not None and _sentence(reason) != row.reason:
            self.stdout.write("The reason stays; for another one say `off` first.")

    def _end(self, actor: Actor, reason: str | None) -> None:
        if reason is not None:
            raise UsageError("--reason is for `on`.")
        if read_only_end(actor=actor):
            self.stdout.write("Read-only is off: every process lets people write within five seconds.")
        else:
            self.stdout.write("Read-only is off already.")

    def _wait(self, seconds: int) -> None:
        before = database_now()
        if wait_until(lambda: not any(underway(before)), seconds, _POLL_SECONDS):
            return
        if left := "".join(f"\n  {line}" for line in underway(before)):
            raise FoundWrong(
                f"Read-only is on and nothing new begins, but still at work after {seconds} s:{left}\n"
                "Run `read_only on` again to wait on."
            )


def _sentence(text: str) -> str:
    """The reason on one line."""
    reason = " ".join(text.split())
    if len(reason) > _LONGEST_REASON or not reason.isprintable():
        raise UsageError(f"--reason has at most {_LONGEST_REASON} printable characters.")
    return reason
