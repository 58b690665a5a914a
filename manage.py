#!/usr/bin/env python
"""CloudScribe's command line: Django's, with the embedded servers under it where no others are given."""

from __future__ import annotations

import gc
import os
import pathlib
import signal
import sys

from django.core.management import ManagementUtility
from django.core.management.base import BaseCommand

from cloudscribe.lib.backups.files import BackupBroken
from cloudscribe.lib.backups.keys import NotRestorable, keys_place
from cloudscribe.lib.embedded.binaries import ServersMissing
from cloudscribe.lib.embedded.layout import Layout
from cloudscribe.lib.embedded.postgres import PostgresFailed
from cloudscribe.lib.embedded.secrets_file import missing_secrets
from cloudscribe.lib.embedded.sharing import ensure_servers
from cloudscribe.lib.embedded.valkey import ValkeyFailed

# These own or rewrite tables; everything else signs in as the application's role.
OWNER_COMMANDS = {"archive_audit", "backup", "migrate", "prepare", "restore", "seed_demo", "setup_roles"}
JOB_COMMANDS = {"rqworkers", "scheduler"}
# These read code, not data.
SERVERLESS_COMMANDS = {
    *("check", "collectstatic", "diffsettings", "help", "spectacular", "version", "write_reference"),
}


class CommandLine(ManagementUtility):
    """Django's, but that a command which doesn't exist counts as wrong use: exit code 2."""

    def fetch_command(self, subcommand: str) -> BaseCommand:
        """The command; exits where there is none of that name, after Django has said so."""
        try:
            return super().fetch_command(subcommand)
        except SystemExit:
            sys.exit(2)
        finally:
            gc.freeze()
            gc.enable()


def prepare(command: str, *, start: bool) -> None:
    """Fill the environment that the settings read for `command`."""
    root = pathlib.Path(__file__).resolve().parent
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "cloudscribe.settings")
    os.environ.setdefault("CLOUDSCRIBE_DATA", str(root / "var"))
    if command in OWNER_COMMANDS:
        os.environ.setdefault("CLOUDSCRIBE_DATABASE_ROLE", "owner")
    if command in JOB_COMMANDS:
        os.environ.setdefault("CLOUDSCRIBE_PROCESS", "job")
    if command == "serve":
        # The supervisor that it becomes decides by DATABASE_URL and REDIS_URL which servers are its own.
        os.environ.update(missing_secrets(Layout.at(os.environ["CLOUDSCRIBE_DATA"]), os.environ))
        return
    if command == "restore" and start:
        keys_place(sys.argv[2:], pathlib.Path(os.environ["CLOUDSCRIBE_DATA"]))
    # A folder that was asked for help, or for roles alone, is still one to restore a backup into.
    keep_keys = start and command != "setup_roles"
    os.environ.update(ensure_servers(os.environ["CLOUDSCRIBE_DATA"], start=start, keep_keys=keep_keys))


def main() -> None:
    """Run one command; exit code 1 where the servers cannot be had."""
    command = sys.argv[1] if len(sys.argv) > 1 else "help"
    if command in {"backup", "restore"}:
        # So that what these have begun is taken back, and servers of theirs end.
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda number, _frame: sys.exit(128 + number))
    asks_only = (
        command in SERVERLESS_COMMANDS or command.startswith("-") or "--help" in sys.argv or "-h" in sys.argv
    )
    try:
        prepare(command, start=not asks_only or "--database" in sys.argv)
    except NotRestorable as problem:
        sys.stderr.write(f"manage.py: {problem}\n")
        sys.exit(2)
    except (BackupBroken, OSError, ServersMissing, PostgresFailed, ValkeyFailed) as problem:
        sys.exit(f"manage.py: {problem}")
    # What is imported stays: to look through it for garbage takes a fifth of the time to start.
    gc.disable()
    try:
        # Only now: Django reads the environment with its settings.
        CommandLine(sys.argv).execute()
        sys.stdout.flush()
    except BrokenPipeError:
        # Who reads has enough, as `head` does. At its end the interpreter flushes once more.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(128 + signal.SIGPIPE)


if __name__ == "__main__":
    main()
